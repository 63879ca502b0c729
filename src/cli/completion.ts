import type { Command } from "commander";

/** The words that ask for completion: of a shell's script, and, from that script, of what is being typed. */
export const completionWords = ["completion", "complete"] as const;

/** Adds the completion of this command line to it; loaded only when it is asked for. */
export async function addCompletion(program: Command): Promise<void> {
  const { default: tab } = await import("@bomb.sh/tab/commander");
  tab(program, { completionCommandName: completionWords[0] });
}
