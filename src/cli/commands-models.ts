import type { Command } from "commander";

import { type CommandDeps, unknownWord } from "./command-deps.ts";

/** Adds the commands about models. */
export function addModelCommands(program: Command, deps: CommandDeps): void {
  const { output, withServices } = deps;
  program
    .command("models [action] [name]")
    .description(
      "list: which model answers, and why; pull NAME: download one; check: can I answer?",
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
