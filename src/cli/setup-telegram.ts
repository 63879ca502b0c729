import { systemClock } from "#core/clock.ts";
import { AppError, exitCodes } from "#core/errors.ts";
import type { BotAccount } from "#core/operations.ts";

import type { Asker } from "./asker.ts";
import type { Output } from "./output.ts";
import type { Services } from "./services.ts";
import { readWords } from "./words.ts";

interface Setup {
  readonly services: Services;
  readonly output: Output;
  readonly stdin: NodeJS.ReadStream;
  readonly signal: AbortSignal;
  /** Absent where there is nobody to ask: the token comes by standard input. */
  readonly asker: Asker | undefined;
}

const tokenName = "TELEGRAM_BOT_TOKEN";

const pollMs = 300;

/** How long what was written at once after the pairing may take to be answered. */
const graceMs = 10_000;

const introduction = [
  "Every bot on Telegram is made by Telegram's own bot, @BotFather.",
  "Open https://t.me/BotFather, write /newbot to it, and choose a name and a username for your bot.",
  "It answers with a token such as 123456789:AAF-x7...; whoever has it is your bot, so show it to nobody.",
];

function asNoToken(error: unknown): never {
  const isEmpty = error instanceof AppError && error.code === "usage.empty";
  throw isEmpty ? new AppError("bot.no-token", {}, { cause: error }) : error;
}

async function readToken({ asker, stdin, output }: Setup): Promise<string> {
  if (asker === undefined) return readWords([], stdin).catch(asNoToken);
  for (const line of introduction) output.note(line);
  return (await asker.secret("The token")).trim();
}

function describe({ name, username, hearsGroups }: BotAccount, { output }: Setup): void {
  output.note(`This is ${name}, @${username}.`);
  if (hearsGroups) return;
  output.note(
    "In groups it hears only commands, mentions of it and replies to it (Telegram's privacy mode), which is enough; /setprivacy of @BotFather changes that, and the bot then has to be added to the group again.",
  );
}

async function isPaired({ services }: Setup): Promise<boolean> {
  const people = await services.operations.people({});
  const owners = people.filter(({ role }) => role === "owner");
  return owners.some(({ accounts }) => accounts.some(({ platform }) => platform === "telegram"));
}

async function untilPaired(setup: Setup, expiresAt: number): Promise<void> {
  while (!(await isPaired(setup))) {
    if (systemClock.now() >= expiresAt) throw new AppError("people.not-paired");
    await systemClock.sleep(pollMs, setup.signal);
    if (setup.signal.aborted) throw new AppError("task.cancelled");
  }
}

/** Where another process holds the data, it is the bot, and has the token only if it had it at its start. */
async function pair(setup: Setup, bot: BotAccount, token: string): Promise<boolean> {
  const { services, output } = setup;
  const { code, expiresAt } = await services.operations.pairCode({});
  const knew = services.secrets(tokenName)?.reveal() === token;
  const isOwn = await services.serveBot(token);
  if (!isOwn && !knew) {
    output.note(
      "The agent that runs does not know the token yet: run agent stop, then agent serve.",
    );
  }
  output.note(`Write ${code} to @${bot.username} in a private chat, within ten minutes.`);
  if (!isOwn && !knew) return false;
  try {
    await untilPaired(setup, expiresAt);
  } finally {
    if (isOwn) await services.stop(graceMs);
  }
  output.note("Your account is connected.");
  return isOwn;
}

/** Leads through connecting a Telegram bot: its token, whose it is, where it is kept, and the owner's account. */
export async function setupTelegram(setup: Setup): Promise<number> {
  const { services, output } = setup;
  const token = await readToken(setup);
  const bot = await services.operations.checkBot({ token });
  describe(bot, setup);
  const file = await (await services.settings()).setSecret(tokenName, token);
  output.note(`The token is kept in ${file} (mode 0600).`);
  const served = (await isPaired(setup)) || (await pair(setup, bot, token));
  if (served) output.note("agent serve keeps it answering.");
  output.note(`Say hello to @${bot.username}.`);
  return exitCodes.ok;
}
