import type { Command } from "commander";

import { type CommandDeps, unknownWord } from "./command-deps.ts";

/** Adds the commands about models. */
export function addModelCommands(program: Command, deps: CommandDeps): void {
  const { output, withServices } = deps;
  program
    .command("models [action] [name]")
    .description("which model answers, and why; get one")
    .addHelpText(
      "after",
      `
  agent models                 each tier's models in the order they would be tried, and why
  agent models pull NAME       download one, with Ollama or into this program
  agent models check           whether each tier could answer now`,
    )
    .action((action = "list", name?: string) =>
      withServices(async ({ operations }, { json = false }) => {
        const commands = await import("./models.ts");
        if (action === "list") await commands.listModels(operations, output, { json });
        else if (action === "check") return commands.checkModels(operations, output, { json });
        else if (action === "pull" && name !== undefined) {
          await commands.pullModel(operations, output, { name, signal: deps.interrupt() });
        } else throw unknownWord("models", String(action), "list, pull NAME or check");
        return undefined;
      }),
    );
}
