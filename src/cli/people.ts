import type { Operations } from "#core/operations.ts";
import type { KnownPerson, ShownCode } from "#core/people.ts";

import { type Output, plainText } from "./output.ts";
import type { Services } from "./services.ts";

/** How a command about people answers. */
interface Answering {
  readonly output: Output;
  readonly json: boolean;
}

function lineOf({ role, name, accounts }: KnownPerson): string {
  const who = name === null ? role : `${name} (${role})`;
  const numbers = accounts.map(
    (account) => `${account.platform}:${account.accountId} (${account.name})`,
  );
  return plainText(`${who}  ${numbers.join(", ") || "no account yet"}`);
}

function say({ output, json }: Answering, value: unknown, line: string): void {
  output.line(json ? JSON.stringify(value) : plainText(line));
}

/** Says what is missing until somebody hears the code. */
async function noteListener(services: Services, { output }: Answering): Promise<void> {
  if (services.secrets("TELEGRAM_BOT_TOKEN") === undefined) {
    output.note("There is no bot yet: agent setup telegram makes one.");
  } else if (await services.isOwn()) output.note("Nobody hears it yet: start agent serve.");
}

async function showCode(
  services: Services,
  answering: Answering,
  { who, code }: { readonly who: string; readonly code: ShownCode },
): Promise<void> {
  const line = `${who} ${code.code} to your bot in a private chat, within ten minutes.`;
  say(answering, code, line);
  await noteListener(services, answering);
}

async function list(operations: Operations, answering: Answering): Promise<void> {
  const people = await operations.people({});
  if (answering.json) answering.output.line(JSON.stringify(people));
  else for (const person of people) answering.output.line(lineOf(person));
}

type Action = (services: Services, answering: Answering, what: string) => Promise<void>;

/** The actions that take nothing, and those that take a word. */
const plain: Readonly<Record<string, Action>> = {
  list: ({ operations }, answering) => list(operations, answering),
  async pair(services, answering) {
    const code = await services.operations.pairCode({});
    await showCode(services, answering, { who: "Write", code });
  },
};

const worded: Readonly<Record<string, Action>> = {
  async invite(services, answering, name) {
    const code = await services.operations.invite({ name });
    await showCode(services, answering, { who: `${name} writes`, code });
  },
  async remove({ operations }, answering, name) {
    const person = await operations.removePerson({ name });
    say(answering, person, `${person.name ?? name} is a stranger again.`);
  },
  async unlink({ operations }, answering, account) {
    const person = await operations.unlink({ account });
    say(answering, person, `${account} is a stranger's again.`);
  },
  async claim({ operations }, answering, code) {
    const account = await operations.claim({ code });
    const number = `${account.platform}:${account.accountId}`;
    const undo = `if that is not you, run agent people unlink ${number} at once`;
    say(answering, account, `${account.name} (${number}) is the owner's now; ${undo}.`);
  },
};

/** Runs `agent people`; undefined and nothing done for an action that is none, or lacks its word. */
export async function managePeople(
  services: Services,
  call: { readonly action: string; readonly what: string },
  answering: Answering,
): Promise<boolean> {
  const { action, what } = call;
  const wanted = what === "" ? plain : worded;
  const run = Object.hasOwn(wanted, action) ? wanted[action] : undefined;
  await run?.(services, answering, what);
  return run !== undefined;
}
