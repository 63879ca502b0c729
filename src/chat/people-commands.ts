import type { KnownPerson, People } from "#core/people.ts";
import { AppError } from "#core/errors.ts";

import type { Command, CommandPlace } from "./command.ts";
import type { Platforms } from "./parts.ts";
import { accountKey } from "./strangers.ts";

/** What the commands about people work with. */
export interface PeopleCommandDeps {
  readonly people: People;
  readonly platforms: Platforms;
}

const privateOnly = "That is for our private chat only.";

const usage =
  "/people lists who may talk to me. /people invite NAME makes a code for a new member, /people remove NAME removes one, /people unlink NUMBER removes one account.";

function lineOf({ role, name, accounts }: KnownPerson): string {
  const numbers = accounts.map((account) => `${accountKey(account)} (${account.name})`);
  const who = role === "owner" ? `Owner${name === null ? "" : ` ${name}`}` : (name ?? "Member");
  return `${who}: ${numbers.join(", ") || "no account yet"}`;
}

/** Codes are shown past the outbox, where they would be kept; one that is lost on its way is asked for again. */
async function show(
  { platforms }: PeopleCommandDeps,
  { chat }: CommandPlace,
  line: string,
): Promise<string> {
  await platforms.get(chat.platform)?.whisper(chat.address, line);
  return "";
}

async function manage(
  deps: PeopleCommandDeps,
  words: string,
  place: CommandPlace,
): Promise<string> {
  const { people } = deps;
  const [action = "", ...rest] = words.split(/\s+/);
  const what = rest.join(" ");
  if (action === "" || action === "list") return (await people.list()).map(lineOf).join("\n");
  if (what === "") return usage;
  if (action === "invite") {
    const { code } = await people.invite(what);
    const line = `${what} writes ${code} to me in a private chat, within ten minutes.`;
    return show(deps, place, line);
  }
  if (action === "remove") {
    const { name } = await people.remove(what);
    return `${name ?? what} is a stranger again.`;
  }
  if (action === "unlink") {
    await people.unlink(what);
    return `${what} is a stranger's again.`;
  }
  return usage;
}

/** The commands about people and their accounts. */
export function createPeopleCommands(deps: PeopleCommandDeps): readonly Command[] {
  return [
    {
      name: "link",
      about: "a code that connects another account of yours",
      shownTo: "direct",
      async run(_, place) {
        if (place.chat.kind === "group") return privateOnly;
        const { code } = await deps.people.linkCode(place.personId);
        const line = `Write ${code} to me in a private chat from your other account, within ten minutes.`;
        return show(deps, place, line);
      },
    },
    {
      name: "people",
      about: "who may talk to me (for the owner)",
      shownTo: "owner",
      async run({ words }, place) {
        if (place.role !== "owner") throw new AppError("people.not-owner");
        return place.chat.kind === "group" ? privateOnly : manage(deps, words, place);
      },
    },
  ];
}
