import type { Command } from "commander";

import { AppError } from "#core/errors.ts";

import { type CommandDeps, unknownWord } from "./command-deps.ts";

const known = "list, pull NAME, check or route TEXT";

/** Adds the commands about models. */
export function addModelCommands(program: Command, deps: CommandDeps): void {
  const { output, withServices } = deps;
  program
    .command("models [what] [words...]")
    .description("which model and which agent answers, and why; get a model")
    .option("--is <agent>", "with route: whose the text is by your word, which is kept and learned")
    .addHelpText(
      "after",
      `
  agent models                 each tier's models in the order they would be tried, and why
  agent models pull NAME       download one, with Ollama or into this program
  agent models check           whether each tier could answer now, and with what
  agent models route "TEXT"    which agent takes a text, by what every stage says of it

  agent show TASK --route says how a task's models were chosen, and what was tried.`,
    )
    .action((action = "list", words: readonly string[], { is }: { is?: string }) =>
      withServices(async ({ operations }, { json = false }) => {
        const commands = await import("./models.ts");
        const [name] = words;
        if (is !== undefined && action !== "route") {
          const problem = "--is goes with agent models route.";
          throw new AppError("usage.option", { problem });
        }
        if (action === "route") {
          const { readWords } = await import("./words.ts");
          const request = { words: await readWords(words, deps.stdin), is, json };
          await commands.routeText(operations, output, request);
        } else if (words.length > (action === "pull" ? 1 : 0)) {
          throw unknownWord("models", [action, ...words].join(" "), known);
        } else if (action === "list") await commands.listModels(operations, output, { json });
        else if (action === "check") return commands.checkModels(operations, output, { json });
        else if (action === "pull" && name !== undefined) {
          await commands.pullModel(operations, output, { name, signal: deps.interrupt() });
        } else throw unknownWord("models", action, known);
        return undefined;
      }),
    );
}
