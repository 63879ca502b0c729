import type { Command } from "commander";

/** The words that ask for completion: of a shell's script, and, from that script, of what is being typed. */
export const completionWords = ["completion", "complete"] as const;

/** What may follow a command as its next word, where that is one of a few. */
const nextWords: Readonly<Record<string, readonly string[]>> = {
  models: ["list", "pull", "check", "route"],
  privacy: ["check", "local-only", "allow", "deny"],
  people: ["list", "pair", "claim", "invite", "remove", "unlink"],
  config: ["list", "get", "set"],
  setup: ["telegram"],
};

/** The values of options that take one of a few; a wrong one is refused in the program's own words, not in the library's. */
const optionValues: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  "": { tier: ["fast", "smart", "cloud"] },
  setup: { cloud: ["never", "when-asked", "fallback"] },
};

/** Adds the completion of this command line to it; loaded only when it is asked for. */
export async function addCompletion(program: Command): Promise<void> {
  const { default: tab } = await import("@bomb.sh/tab/commander");
  const root = tab(program, { completionCommandName: completionWords[0] });
  type Offer = (complete: (value: string, description: string) => void) => void;
  const offer =
    (words: readonly string[]): Offer =>
    (complete) => {
      for (const word of words) complete(word, "");
    };
  for (const [name, words] of Object.entries(nextWords)) {
    const command = root.commands.get(name);
    const [first = ""] = command?.arguments.keys() ?? [];
    command?.argument(first, offer(words));
  }
  for (const [name, options] of Object.entries(optionValues)) {
    const command = name === "" ? root : root.commands.get(name);
    for (const [option, values] of Object.entries(options)) {
      command?.option(option, command.options.get(option)?.description ?? "", offer(values));
    }
  }
}
