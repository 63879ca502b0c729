import type { Command } from "commander";

import { type CommandDeps, unknownWord } from "./command-deps.ts";

/** Adds the command about people. */
export function addPeopleCommands(program: Command, { output, withServices }: CommandDeps): void {
  program
    .command("people [action] [words...]")
    .description("who may talk to your agent in a chat service")
    .addHelpText(
      "after",
      `
  agent people                 everybody, with their accounts
  agent people pair            a code that connects an account of yours
  agent people claim CODE      the same, with the code that the bot shows you
  agent people invite NAME     a code for a new member
  agent people remove NAME     a member is a stranger again
  agent people unlink ACCOUNT  one account is, for example telegram:123456789`,
    )
    .action((action = "list", words: string[] = []) =>
      withServices(async (services, { json = false }) => {
        const { managePeople } = await import("./people.ts");
        const call = { action: String(action), what: words.join(" ").trim() };
        if (await managePeople(services, call, { output, json })) return undefined;
        const known =
          "list, pair, claim CODE, invite NAME, remove NAME or unlink ACCOUNT (such as telegram:123456789)";
        throw unknownWord("people", [call.action, call.what].join(" ").trim(), known);
      }),
    );
}
