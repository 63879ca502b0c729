import { readdirSync, readFileSync, statSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { run, type Running, scriptedHome, start } from "../fakes/program.ts";
import { type FakeTelegram, openTelegram } from "../fakes/telegram/server.ts";

const ann = 77;
const bob = 88;
const stranger = 99;
const group = -500;

const script = `
scenes:
  - when: never
    replies: [{ text: "This takes an hour.", piece: 1, delay: 60000 }]
  - when: remember
    replies:
      - toolCalls: [{ name: recall_history, input: { words: heron } }]
      - text: "I looked."
  - replies: [{ text: "You said: {words}" }]
`;

interface Bot {
  readonly home: string;
  readonly telegram: FakeTelegram;
  readonly service: Running;
}

async function bot(settings = "", how?: { privacy: boolean }): Promise<Omit<Bot, "service">> {
  const telegram = await openTelegram(how);
  onTestFinished(() => telegram.close());
  const home = await scriptedHome(script);
  const yaml = `telegram: { api_root: "${telegram.url}" ${settings} }\n`;
  await writeFile(path.join(home, "config/bots.local.yaml"), yaml);
  return { home, telegram };
}

async function serve(...of: Parameters<typeof bot>): Promise<Bot> {
  const made = await bot(...of);
  const env = { TELEGRAM_BOT_TOKEN: made.telegram.token };
  const service = start(made.home, ["serve"], { env });
  await service.saw("Serving");
  return { ...made, service };
}

/** What a person reads now, oldest first. */
function texts(telegram: FakeTelegram, chat: number): (string | undefined)[] {
  return telegram.seen(chat).map(({ texts: all }) => all.at(-1));
}

async function expectLast(telegram: FakeTelegram, chat: number, line: RegExp): Promise<void> {
  await expect.poll(() => texts(telegram, chat).at(-1), { timeout: 10_000 }).toMatch(line);
  expect(telegram.violations).toEqual([]);
}

function codeIn(text: string | undefined): string {
  return /\b\d{3} ?\d{3}\b/.exec(text ?? "")?.[0] ?? "no code";
}

/** Makes an account somebody's by a code of the terminal. */
async function connect(
  { home, telegram }: Omit<Bot, "service">,
  account: number,
  args: readonly string[],
): Promise<string> {
  const code = codeIn((await run(home, ["people", ...args])).stdout);
  telegram.write({ from: account, text: code });
  await expectLast(telegram, account, /^(Connected|Welcome)/);
  return code;
}

/** Every file of a home's data and logs, as text. */
function dataOf(home: string): string {
  const state = path.join(home, "workspace/state");
  const all = readdirSync(state, { recursive: true, encoding: "utf8" });
  // Node's own cache holds the program, and so its examples.
  const names = all.filter((name) => !name.startsWith("compile-cache"));
  const files = names
    .map((name) => path.join(state, name))
    // A service that ends takes its socket away in the middle.
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true);
  return files.map((file) => readFileSync(file, "latin1")).join("\n");
}

describe("people of a bot", () => {
  test("the terminal's code connects the owner, and /start with a code does too", async () => {
    const made = await serve();
    const { home, telegram, service } = made;
    telegram.write({ from: ann, text: "hello" });
    await expectLast(
      telegram,
      ann,
      /^This agent is private\. .*\n\n.*\nagent people claim \d{6}$/s,
    );
    const shown = codeIn(texts(telegram, ann)[0]);
    const pair = await connect(made, ann, ["pair"]);
    telegram.write({ from: ann, text: "hello" });
    await expectLast(telegram, ann, /^You said: hello$/);
    const second = codeIn((await run(home, ["people", "pair"])).stdout);
    telegram.write({ from: 78, text: `/start ${second.replace(" ", "")}` });
    await expectLast(telegram, 78, /^Connected/);
    const { stdout } = await run(home, ["people", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject([
      { role: "owner", accounts: [{ accountId: "77", name: "Ann" }, { accountId: "78" }] },
    ]);
    service.child.kill("SIGTERM");
    const { stderr } = await service.ended;
    const kept = `${dataOf(home)}\n${stderr}`;
    for (const code of [shown, pair, pair.replace(" ", ""), second, second.replace(" ", "")]) {
      expect(kept).not.toContain(code);
    }
    expect(kept).toContain("hello");
  });

  test("the bot's code is taken by the terminal", async () => {
    const { home, telegram } = await serve();
    telegram.write({ from: ann, text: "hello" });
    await expectLast(telegram, ann, /agent people claim/);
    const code = codeIn(texts(telegram, ann)[0]);
    const claimed = await run(home, ["people", "claim", code]);
    expect(claimed.stdout).toMatch(/^Ann \(telegram:77\) is the owner's now; if that is not you/);
    telegram.write({ from: ann, text: "hello" });
    await expectLast(telegram, ann, /^You said: hello$/);
    telegram.write({ from: stranger, text: code });
    await expectLast(telegram, stranger, /^That code is wrong or too old/);
  });

  test("an account is linked by a code that was asked for in a paired chat", async () => {
    const made = await serve();
    const { home, telegram, service } = made;
    await connect(made, ann, ["pair"]);
    telegram.write({ from: ann, text: "/link" });
    await expectLast(telegram, ann, /^Write \d{3} \d{3} to me/);
    const code = codeIn(texts(telegram, ann).at(-1));
    telegram.write({ from: 78, text: code });
    await expectLast(telegram, 78, /^Connected/);
    telegram.write({ from: 78, text: "/history" });
    await expectLast(telegram, 78, /^Nothing yet\.$/);
    service.child.kill("SIGTERM");
    expect(`${dataOf(home)}${(await service.ended).stderr}`).not.toContain(code);
  });

  test("a member has a conversation of its own, and sees nothing of the owner's", async () => {
    const made = await serve(`, owners: [${ann}]`);
    const { home, telegram } = made;
    telegram.write({ from: ann, text: "a heron" });
    await expectLast(telegram, ann, /^You said: a heron$/);
    telegram.write({ from: ann, text: "/people invite Bob" });
    await expectLast(telegram, ann, /^Bob writes \d{3} \d{3} to me/);
    telegram.write({ from: bob, text: codeIn(texts(telegram, ann).at(-1)) });
    await expectLast(telegram, bob, /^Welcome, Bob\./);
    telegram.write({ from: bob, text: "/history" });
    await expectLast(telegram, bob, /^Nothing yet\.$/);
    telegram.write({ from: bob, text: "remember" });
    await expectLast(telegram, bob, /^I looked\.$/);
    const exported = await run(home, ["export"]);
    const tasks = exported.stdout
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(JSON.stringify(tasks.at(-1))).toContain("Nothing found.");
    telegram.write({ from: bob, text: "/people" });
    await expectLast(telegram, bob, /^Only the owner of this agent can do that\.$/);
    expect((await run(home, ["history"])).stdout).not.toContain("remember");
    telegram.write({ from: ann, text: "/people" });
    await expectLast(telegram, ann, /^Owner: telegram:77 .*\nBob: telegram:88 \(Ann\)$/);
  });

  test("a removed member is a stranger at once, and what ran for it stops and says nothing", async () => {
    const made = await serve(`, owners: [${ann}]`);
    const { home, telegram } = made;
    await connect(made, bob, ["invite", "Bob"]);
    telegram.write({ from: bob, text: "never" });
    await expect.poll(() => telegram.calls("sendChatAction").length).toBeGreaterThan(0);
    const before = texts(telegram, bob);
    telegram.write({ from: ann, text: "/people remove Bob" });
    await expectLast(telegram, ann, /^Bob is a stranger again\.$/);
    const { stdout } = await run(home, ["status", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ open: [] });
    telegram.write({ from: bob, text: "hello?" });
    await expectLast(telegram, bob, /^This agent is private/);
    expect(texts(telegram, bob)).toHaveLength(before.length + 1);
    // The model would write for an hour and hold the chat: whoever comes next is answered because it stopped.
    await connect(made, bob, ["invite", "Bob"]);
    telegram.write({ from: bob, text: "again" });
    await expectLast(telegram, bob, /^You said: again$/);
    expect(texts(telegram, bob)).toHaveLength(before.length + 3);
  });

  test("whoever of ours brings the bot into a group hears at once what holds there", async () => {
    const settings = `, owners: [${ann}], chats: { "-600": people }`;
    const { telegram } = await serve(settings, { privacy: true });
    telegram.addBot({ group: -400, from: stranger });
    telegram.addBot({ group, from: ann });
    await expectLast(telegram, group, /agent config set bots\.telegram\.chats\.-500 people/);
    telegram.addBot({ group: -600, from: ann });
    await expectLast(telegram, -600, /^In groups Telegram hands me only messages that name @heron/);
    expect(telegram.seen(-400)).toEqual([]);
  });

  test("a group is closed until the owner opens it with the line that the bot says", async () => {
    const { home, telegram, service } = await serve(`, owners: [${ann}]`);
    telegram.write({ from: stranger, group, text: "@heron_bot hello" });
    telegram.write({ from: ann, group, text: "nothing for you" });
    telegram.write({ from: ann, group, text: "@heron_bot hello" });
    telegram.write({ from: ann, group, text: "@heron_bot hello?" });
    await expectLast(telegram, group, /agent config set bots\.telegram\.chats\.-500 people/);
    telegram.write({ from: ann, text: "afterwards" });
    await expectLast(telegram, ann, /afterwards/);
    expect(telegram.seen(group)).toHaveLength(1);
    service.child.kill("SIGTERM");
    await service.ended;
    const line = /config set (\S+) (\S+)/.exec(texts(telegram, group)[0] ?? "") ?? [];
    await run(home, ["config", "set", ...line.slice(1)]);
    start(home, ["serve"], { env: { TELEGRAM_BOT_TOKEN: telegram.token } });
    telegram.write({ from: ann, group, text: "@heron_bot hello" });
    await expectLast(telegram, group, /^You said: hello$/);
  });
});

describe("agent setup telegram", () => {
  test("checks the token, keeps it, waits until the owner is there, and loses no word after it", async () => {
    const { home, telegram } = await bot();
    const setup = start(home, ["setup", "telegram"], { input: `${telegram.token}\n` });
    await setup.saw("within ten minutes");
    telegram.write({ from: ann, text: "wrong words" });
    await expectLast(telegram, ann, /^This agent is private/);
    const pair = await run(home, ["people", "pair", "--json"]);
    telegram.write({ from: ann, text: codeIn(pair.stdout) });
    telegram.write({ from: ann, text: "hello" });
    const { code, stderr } = await setup.ended;
    expect([code, stderr.trim().split("\n").at(-1)]).toEqual([0, "Say hello to @heron_bot."]);
    expect(stderr).toContain("This is Heron, @heron_bot.");
    expect(stderr).not.toContain(telegram.token);
    const file = path.join(home, "secrets.env");
    expect(await readFile(file, "utf8")).toContain(telegram.token);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(dataOf(home)).not.toContain(telegram.token);
    start(home, ["serve"]);
    await expectLast(telegram, ann, /^You said: hello$/);
    expect(texts(telegram, ann).filter((text) => text === "You said: hello")).toHaveLength(1);
    const again = await run(home, ["setup", "telegram"], { input: telegram.token });
    expect([again.code, again.stderr]).toEqual([0, expect.not.stringContaining("within ten")]);
  });

  test("beside a service without the token it says what to do, and does not wait", async () => {
    const { home, telegram } = await bot();
    const service = start(home, ["serve"]);
    await service.saw("Serving");
    const { code, stderr } = await run(home, ["setup", "telegram"], { input: telegram.token });
    expect(code).toBe(0);
    expect(stderr).toContain("does not know the token yet: run agent stop, then agent serve.");
    await run(home, ["stop"]);
    start(home, ["serve"]);
    telegram.write({ from: ann, text: codeIn(/Write .*/.exec(stderr)?.[0]) });
    await expectLast(telegram, ann, /^Connected/);
  });

  test.each([
    [
      "a dead token",
      "4242:another-token-of-telegram",
      3,
      /^Telegram refuses this token, so it is mistyped/,
    ],
    [
      "what is no token",
      "AAF-x7-without-its-number",
      2,
      /^That is no bot's token: copy the whole line/,
    ],
  ])("%s is one clear sentence, and nothing is kept", async (_, input, code, line) => {
    const { home } = await bot();
    const result = await run(home, ["setup", "telegram"], { input });
    expect([result.code, result.stdout]).toEqual([code, ""]);
    expect(result.stderr.trim().split("\n")).toEqual([expect.stringMatching(line)]);
    expect(readdirSync(home)).not.toContain("secrets.env");
    expect(`${result.stderr}${dataOf(home)}`).not.toContain(input);
  });

  test("no token at all is one clear sentence", async () => {
    const { home } = await bot();
    const { code, stderr } = await run(home, ["setup", "telegram"]);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^That is no bot's token: [^\n]*\n$/),
    ]);
  });

  test("a Telegram that does not answer is one clear sentence", async () => {
    const { home, telegram } = await bot();
    telegram.close();
    const { code, stderr } = await run(home, ["setup", "telegram"], { input: telegram.token });
    expect(code).toBe(4);
    expect(stderr.trim()).toMatch(
      /^Telegram could not be asked \(127\.0\.0\.1.*\): check the network/,
    );
  });
});
