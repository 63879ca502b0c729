import type { Command } from "commander";

import { type CommandDeps, unknownWord } from "./command-deps.ts";

/** Adds the command about what may leave. */
export function addPrivacyCommands(program: Command, { output, withServices }: CommandDeps): void {
  program
    .command("privacy [action] [what]")
    .description("what may leave your machine: what holds, and how it is changed")
    .addHelpText(
      "after",
      `
  agent privacy                       what holds, in words
  agent privacy check                 tries every way out that must be shut
  agent privacy local-only on|off     no cloud is reached, whoever asks
  agent privacy allow memories|files  they go where your words may go
  agent privacy deny memories|files   they stay at home

  --chat ID makes it hold in one chat: a name for one of the terminal's,
  else its id, for example telegram:123456789.`,
    )
    .action((action = "show", what = "") =>
      withServices(async ({ operations }, { json = false, chat }) => {
        const { privacy } = await import("./privacy.ts");
        const call = { action: String(action), what: String(what) };
        const code = await privacy(operations, call, { output, json, chat });
        if (code !== undefined) return code;
        const known = "check, local-only on, local-only off, allow or deny with memories or files";
        throw unknownWord("privacy", [call.action, call.what].join(" ").trim(), known);
      }),
    );
}
