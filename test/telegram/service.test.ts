import { writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { run, type Running, scriptedHome, start } from "../fakes/program.ts";
import { type FakeTelegram, openTelegram } from "../fakes/telegram/server.ts";

const ann = 77;

const script = `
scenes:
  - when: slow
    replies: [{ text: "A very slow answer.", piece: 2, delay: 200 }]
  - when: long
    replies: [{ text: "${"word ".repeat(10_000)}end" }]
  - when: never
    replies: [{ text: "This takes an hour.", piece: 1, delay: 60000 }]
  - replies: [{ text: "You said: {words}" }]
`;

async function bot(): Promise<{ readonly home: string; readonly telegram: FakeTelegram }> {
  const telegram = await openTelegram();
  onTestFinished(() => {
    telegram.close();
  });
  const home = await scriptedHome(script);
  const chats = '{ "-500": people }';
  const settings = `telegram: { api_root: "${telegram.url}", owners: [${ann}], chats: ${chats} }\n`;
  await writeFile(path.join(home, "config/bots.local.yaml"), settings);
  return { home, telegram };
}

function serve(home: string, { token }: FakeTelegram): Running {
  return start(home, ["serve"], { env: { TELEGRAM_BOT_TOKEN: token } });
}

/** What a person reads now, oldest first. */
function texts(telegram: FakeTelegram, chat = ann): (string | undefined)[] {
  return telegram.seen(chat).map(({ texts: all }) => all.at(-1));
}

async function expectReads(telegram: FakeTelegram, wanted: readonly string[]): Promise<void> {
  await expect.poll(() => texts(telegram)).toEqual(wanted);
  expect(telegram.violations).toEqual([]);
}

describe("a service with a bot", () => {
  test("answers its owner once, as a reply, and keeps the order", async () => {
    const { home, telegram } = await bot();
    serve(home, telegram);
    const first = telegram.write({ from: ann, text: "one" });
    await expectReads(telegram, ["You said: one"]);
    expect(telegram.seen(ann)[0]).toMatchObject({ replyTo: first, texts: ["…", "You said: one"] });
    telegram.write({ from: ann, text: "slow" });
    await expect.poll(() => telegram.calls("sendRichMessageDraft").length).toBeGreaterThan(0);
    telegram.write({ from: ann, text: "two" });
    const last = telegram.write({ from: ann, text: "three" });
    await expectReads(telegram, ["You said: one", "A very slow answer.", "You said: two\n\nthree"]);
    expect(telegram.seen(ann)[2]?.replyTo).toBe(last);
    // Both had to wait, and that is to be seen on them.
    expect(telegram.calls("setMessageReaction")).toMatchObject([
      { message_id: last - 1 },
      { message_id: last },
    ]);
  });

  test("killed in the middle of an answer, it answers once when it is back", async () => {
    const { home, telegram } = await bot();
    const killed = serve(home, telegram);
    telegram.write({ from: ann, text: "slow" });
    await expect.poll(() => telegram.calls("sendRichMessageDraft").length).toBeGreaterThan(0);
    killed.child.kill("SIGKILL");
    await killed.ended;
    telegram.write({ from: ann, text: "while you were away" });
    serve(home, telegram);
    await expectReads(telegram, ["A very slow answer.", "You said: while you were away"]);
  });

  test("what comes twice is answered once, and a lost or refused call shows nothing twice", async () => {
    const { home, telegram } = await bot();
    serve(home, telegram);
    telegram.write({ from: ann, text: "one" });
    await expectReads(telegram, ["You said: one"]);
    telegram.repeat();
    for (const kind of ["lost", "slowDown", "broken"] as const) {
      telegram.fail({ method: "editMessageText", kind });
    }
    telegram.write({ from: ann, text: "two" });
    await expectReads(telegram, ["You said: one", "You said: two"]);
    telegram.fail({ method: "sendMessage", kind: "lost" });
    telegram.write({ from: ann, text: "three" });
    // Whether the placeholder is there is found out: no second one is made, and no stray one stays.
    await expectReads(telegram, ["You said: one", "You said: two", "You said: three"]);
    expect(telegram.calls("editMessageReplyMarkup").length).toBeGreaterThan(0);
  });

  test("/stop ends the running answer and /stop all what waits, and a stranger gets one hint", async () => {
    const { home, telegram } = await bot();
    serve(home, telegram);
    telegram.write({ from: ann, text: "/stop" });
    await expectReads(telegram, ["Nothing is being answered here."]);
    telegram.write({ from: ann, text: "never" });
    await expect.poll(() => telegram.calls("sendChatAction").length).toBeGreaterThan(0);
    telegram.write({ from: ann, text: "/stop" });
    await expect.poll(() => texts(telegram).at(-1)).toMatch(/Stopped\.$/);
    telegram.write({ from: 99, text: "hello" });
    telegram.write({ from: 99, text: "hello?" });
    telegram.write({ from: ann, text: "/nothing" });
    await expect.poll(() => texts(telegram).at(-1)).toContain("There is no /nothing");
    const hint = expect.stringMatching(/^This agent is private\./);
    await expect.poll(() => texts(telegram, 99)).toEqual([hint]);
  });

  test("an answer too long for one message comes in several, in order", async () => {
    const { home, telegram } = await bot();
    serve(home, telegram);
    telegram.write({ from: ann, text: "long" });
    await expect.poll(() => texts(telegram).at(-1)).toMatch(/end$/);
    expect(telegram.seen(ann)).toHaveLength(2);
    expect(texts(telegram).join(" ").split(/\s+/)).toHaveLength(10_001);
  });

  test("a group is answered where we are meant, and nowhere else", async () => {
    const { home, telegram } = await bot();
    serve(home, telegram);
    const group = -500;
    telegram.write({ from: ann, group, text: "nothing for you" });
    telegram.write({ from: 99, group, text: "@heron_bot let me in" });
    telegram.write({ from: ann, group, text: "@heron_bot hello" });
    await expect.poll(() => texts(telegram, group)).toEqual(["You said: hello"]);
  });

  test("a topic that nobody named is named after what is first asked in it, another is left alone", async () => {
    const { home, telegram } = await bot();
    serve(home, telegram);
    const unnamed = telegram.openTopic({ chatId: ann, from: ann });
    const named = telegram.openTopic({ chatId: ann, from: ann, name: "Birds" });
    telegram.write({ from: ann, topic: unnamed, text: "Which herons winter here?" });
    telegram.write({ from: ann, topic: unnamed, text: "And storks?" });
    telegram.write({ from: ann, topic: named, text: "Which owls?" });
    const nameOf = (topic: number) => telegram.world.chats.get(ann)?.topics.get(topic)?.name;
    await expect.poll(() => nameOf(unnamed)).toBe("Which herons winter here?");
    await expect.poll(() => telegram.seen(ann).length).toBeGreaterThan(1);
    expect(nameOf(named)).toBe("Birds");
    expect(telegram.calls("editForumTopic")).toHaveLength(1);
    expect(telegram.violations).toEqual([]);
  });

  test("the answer is in the history, and the token in no log", async () => {
    const { home, telegram } = await bot();
    const service = serve(home, telegram);
    telegram.fail({ method: "getMe", kind: "broken" });
    telegram.write({ from: ann, text: "one" });
    await expectReads(telegram, ["You said: one"]);
    service.child.kill("SIGTERM");
    const { stderr } = await service.ended;
    expect(stderr).not.toContain(telegram.token);
    const { stdout } = await run(home, ["history", "--json"]);
    expect(stdout).toContain("You said: one");
  });
});
