import { writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { run, type Running, scriptedHome, start } from "../fakes/program.ts";
import { type FakeTelegram, openTelegram } from "../fakes/telegram/server.ts";

const ann = 77;
const group = -500;

const script = `
scenes:
  - when: the conversation goes on
    replies: [{ text: "They talked." }]
  - when: slow
    replies: [{ text: "A slow answer.", piece: 2, delay: 200 }]
  - replies: [{ text: "You said: {words}" }]
`;

interface Bot {
  readonly telegram: FakeTelegram;
  readonly home: string;
  readonly service: Running;
}

async function serve(prepare: (telegram: FakeTelegram) => void = () => {}): Promise<Bot> {
  const telegram = await openTelegram();
  onTestFinished(() => telegram.close());
  prepare(telegram);
  const home = await scriptedHome(script);
  const settings = `telegram: { api_root: "${telegram.url}", owners: [${ann}], chats: { "${group}": people } }\n`;
  await writeFile(path.join(home, "config/bots.local.yaml"), settings);
  const service = start(home, ["serve"], { env: { TELEGRAM_BOT_TOKEN: telegram.token } });
  await service.saw("Serving");
  return { telegram, home, service };
}

/** What a person reads now, oldest first. */
function texts(telegram: FakeTelegram, chat = ann): (string | undefined)[] {
  return telegram.seen(chat).map(({ texts: all }) => all.at(-1));
}

async function expectReads({ telegram }: Bot, wanted: readonly unknown[], chat = ann) {
  await expect.poll(() => texts(telegram, chat)).toEqual(wanted);
  expect(telegram.violations).toEqual([]);
}

describe("bad input over Telegram", () => {
  test("a dead token is said with its fix, once, and the service stays up for its other commands", async () => {
    const bot = await serve((telegram) => telegram.refuseToken(true));
    await bot.service.saw("agent setup telegram");
    const { code, stdout } = await run(bot.home, ["status"]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("Telegram is not heard: ")]);
  });

  test("a bot that is revoked while it answers loses nothing", async () => {
    const bot = await serve();
    bot.telegram.write({ from: ann, text: "slow" });
    await expect.poll(() => bot.telegram.drafts(ann).length).toBeGreaterThan(0);
    bot.telegram.refuseToken(true);
    await bot.service.saw("task ended");
    bot.telegram.refuseToken(false);
    await expect.poll(() => texts(bot.telegram), { timeout: 90_000 }).toEqual(["A slow answer."]);
  }, 120_000);

  test("a group in which the bot may not write is left alone, and other chats go on", async () => {
    const bot = await serve();
    bot.telegram.addBot({ group, from: ann });
    bot.telegram.mute(group, true);
    bot.telegram.write({ from: ann, group, text: "@heron_bot hello" });
    await bot.service.saw("chat cannot be written to");
    bot.telegram.write({ from: ann, text: "here?" });
    await expectReads(bot, ["You said: here?"]);
    expect(texts(bot.telegram, group)).toEqual([]);
    bot.telegram.mute(group, false);
    bot.telegram.write({ from: ann, group, text: "@heron_bot again" });
    await expectReads(bot, ["You said: again"], group);
  });

  test("whoever blocked the bot is answered again when it is let in", async () => {
    const bot = await serve();
    bot.telegram.write({ from: ann, text: "slow" });
    await expect.poll(() => bot.telegram.drafts(ann).length).toBeGreaterThan(0);
    bot.telegram.block(ann);
    await bot.service.saw("chat cannot be written to");
    bot.telegram.unblock(ann);
    bot.telegram.write({ from: ann, text: "again" });
    await expectReads(bot, ["You said: again"]);
  });

  test("a file of 100 MB is refused in words, and the rest of the message is answered", async () => {
    const bot = await serve();
    const file = { kind: "document", name: "film.mkv", bytes: 100_000_000 } as const;
    bot.telegram.write({ from: ann, text: "Watch this", file });
    await expectReads(bot, [expect.stringMatching(/^You said: Watch this[^]*film\.mkv[^]*20 MB/)]);
    expect(bot.telegram.calls("getFile")).toEqual([]);
  });

  test("a forwarded command is words, an anonymous admin, a channel post and a bot are nobody", async () => {
    const bot = await serve();
    bot.telegram.write({ from: ann, text: "/new", forwarded: true });
    await expectReads(bot, ["You said: /new"]);
    bot.telegram.addBot({ group, from: ann });
    bot.telegram.write({ from: ann, group, text: "@heron_bot hello", as: "anonymous" });
    bot.telegram.write({ from: 4343, group, text: "@heron_bot hello", as: "bot" });
    bot.telegram.post(-1_000_000_000_777, "a post");
    bot.telegram.write({ from: ann, group, text: "@heron_bot hello" });
    await expectReads(bot, ["You said: hello"], group);
  });

  test("a press of a button that nobody knows ends with a line, and so does one from before an upgrade", async () => {
    const bot = await serve();
    bot.telegram.write({ from: ann, text: "one" });
    await expectReads(bot, ["You said: one"]);
    const [seen] = bot.telegram.seen(ann);
    const messageId = seen?.messageId ?? 0;
    for (const data of ["", "old:approve:5", "x".repeat(64)]) {
      const press = bot.telegram.forgePress({ chatId: ann, messageId, data, from: ann });
      await expect
        .poll(() => bot.telegram.answered(press)?.text)
        .toBe("This button does nothing any more.");
    }
  });

  test("an edit, a file or a command of a stranger gets no further than its words", async () => {
    const bot = await serve();
    bot.telegram.write({ from: 99, text: "/stop all" });
    bot.telegram.write({ from: 99, text: "/people remove Ann" });
    await expect.poll(() => texts(bot.telegram, 99).length).toBe(1);
    expect(texts(bot.telegram, 99)[0]).toMatch(/^This agent is private/);
  });
});

/** What a person writes in a bad week; a test of ten thousand would hold up all others. */
const waiting = 2000;

test("two thousand messages after a week off are answered, each once and in order", async () => {
  const bot = await serve((telegram) => {
    telegram.jump(9_000_000);
    for (let i = 0; i < waiting; i += 1) {
      telegram.write({ from: ann, text: `<${i}> and some more words` });
    }
  });
  const marks = (): number[] =>
    texts(bot.telegram).flatMap((text) =>
      Array.from(text?.matchAll(/<(\d+)>/g) ?? [], ([, mark]) => Number(mark)),
    );
  await expect.poll(() => marks().length, { timeout: 100_000, interval: 500 }).toBe(waiting);
  expect(marks()).toEqual(Array.from({ length: waiting }, (_, i) => i));
  expect(bot.telegram.violations).toEqual([]);
}, 150_000);
