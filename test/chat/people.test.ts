import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { createPeople, type PlatformRules } from "../../src/chat/people.ts";
import { digitsIn } from "../../src/chat/pairing.ts";
import type { IncomingMessage, Sender } from "../../src/core/chat.ts";
import { openStore } from "../../src/store/open-store.ts";
import { createFakeClock } from "../fakes/clock.ts";
import { emptyFolder } from "../fakes/folder.ts";
import { createFakePlatform } from "../fakes/platform.ts";
import { drafts } from "./house.ts";

const minuteMs = 60_000;

function sender(accountId: string, own: Partial<Sender> = {}): Sender {
  return { platform: "telegram", accountId, name: `N${accountId}`, kind: "person", ...own };
}

function message(accountId: string, text: string, own: Partial<IncomingMessage> = {}) {
  const place = { platform: "telegram", address: accountId, kind: "direct" } as const;
  const head = { type: "message", place, from: sender(accountId), messageId: "1", text } as const;
  const said = { replyTo: null, addressed: true, forwarded: false, attachments: [] };
  return { ...head, ...said, ...own };
}

function inGroup(accountId: string, own: Partial<IncomingMessage> = {}): IncomingMessage {
  const place = { platform: "telegram", address: "-5/3", kind: "group" } as const;
  return message(accountId, "hello", { place, ...own });
}

async function setUp(rules: Partial<PlatformRules> = {}) {
  const folder = await emptyFolder("people");
  const clock = createFakeClock();
  const store = await openStore({ folder, clock });
  onTestFinished(() => store.close());
  /** Looks at accounts so far, and what each of them waits for after it has read. */
  const queries = { count: 0, held: Promise.resolve() };
  const counting: typeof store = {
    ...store,
    async personOf(account) {
      queries.count += 1;
      const person = await store.personOf(account);
      await queries.held;
      return person;
    },
  };
  const telegram = { owners: [], chats: {}, ...rules };
  const people = createPeople({ store: counting, clock, platforms: { telegram } });
  const platform = createFakePlatform("telegram", drafts);

  /** Says something as a platform would bring it; gives whose message is to be answered. */
  async function say(said: IncomingMessage) {
    const [update] = await people.screen([{ updateId: "1", event: said }]);
    if (update?.event.type !== "message") throw new Error("a message stays one");
    return people.admit(platform, update.event);
  }

  function plainFiles(): string {
    return readdirSync(folder)
      .map((name) => readFileSync(path.join(folder, name), "latin1"))
      .join("\n");
  }

  return { store, people, platform, clock, say, plainFiles, queries };
}

/** Six digits that are not these. */
function otherThan(code: string): string {
  return code.startsWith("1") ? "222 222" : "111 111";
}

describe("what a code looks like", () => {
  test.each([
    ["482913", "482913"],
    [" 482 913\n", "482913"],
    ["482-913", "482913"],
    ["4 8 2 9 1 3", "482913"],
    ["/start 482913", "482913"],
    ["/start@heron_bot 482 913", "482913"],
    ["48291", undefined],
    ["4829130", undefined],
    ["482  913", undefined],
    ["my code is 482913", undefined],
    ["/start", undefined],
    ["٤٨٢٩١٣", undefined],
  ])("%j is %s", (text, digits) => {
    expect(digitsIn(text)).toBe(digits);
  });
});

describe("pairing", () => {
  test("the terminal's code makes an account the owner's, and works once", async () => {
    const { people, say, platform } = await setUp();
    const { code } = await people.pairCode();
    expect(code).toMatch(/^\d{3} \d{3}$/);
    expect(await say(message("77", "hello"))).toBeUndefined();
    expect(await say(message("77", code))).toBeUndefined();
    expect(platform.whispers.at(-1)).toMatch(/^77: Connected\./);
    expect(await say(message("77", "hello"))).toEqual({ role: "owner", personId: "owner" });
    expect(await say(message("99", code))).toBeUndefined();
    expect(platform.whispers.at(-1)).toMatch(/^99: That code is wrong or too old/);
  });

  test("a code ends after ten minutes, and after five wrong ones of whomever", async () => {
    const { people, say, clock } = await setUp();
    const first = await people.pairCode();
    clock.pass(10 * minuteMs);
    await say(message("77", first.code));
    expect((await people.authorise(sender("77"))).role).toBe("stranger");
    const second = await people.pairCode();
    const wrong = otherThan(second.code);
    for (const account of ["1", "2", "3", "4"]) await say(message(account, wrong));
    await say(message("77", second.code));
    expect((await people.authorise(sender("77"))).role).toBe("owner");
    const third = await people.pairCode();
    for (const account of ["1", "2", "3", "4", "5"]) {
      await say(message(account, otherThan(third.code)));
    }
    await say(message("78", third.code));
    expect((await people.authorise(sender("78"))).role).toBe("stranger");
  });

  test("an account that guesses is not heard for ten minutes, and its guesses cost no tries then", async () => {
    const { people, say, clock, platform } = await setUp();
    const first = await people.pairCode();
    for (let n = 0; n < 7; n += 1) await say(message("77", otherThan(first.code)));
    expect(platform.whispers).toHaveLength(5);
    const second = await people.pairCode();
    for (let n = 0; n < 7; n += 1) await say(message("77", otherThan(second.code)));
    await say(message("77", second.code));
    expect((await people.authorise(sender("77"))).role).toBe("stranger");
    await say(message("78", second.code));
    expect((await people.authorise(sender("78"))).role).toBe("owner");
    clock.pass(10 * minuteMs);
    await say(message("77", (await people.pairCode()).code));
    expect((await people.authorise(sender("77"))).role).toBe("owner");
  });

  test("guesses in one batch are no more than guesses one by one", async () => {
    const { people, platform } = await setUp();
    const { code } = await people.pairCode();
    const guesses = [...Array.from({ length: 6 }, () => otherThan(code)), code];
    const batch = guesses.map((text, at) => ({
      updateId: String(at),
      event: message("77", text, { messageId: String(at) }),
    }));
    for (const { event } of await people.screen(batch)) {
      if (event.type === "message") await people.admit(platform, event);
    }
    expect((await people.authorise(sender("77"))).role).toBe("stranger");
  });

  test("the code that the bot shows is for that account, and the terminal takes it", async () => {
    const { people, say, platform, clock } = await setUp();
    await say(message("77", "hello"));
    await say(message("77", "hello?"));
    expect(platform.whispers).toHaveLength(1);
    const code = /agent people claim (\d{6})$/.exec(platform.whispers[0] ?? "")?.[1] ?? "";
    await expect(people.claim(otherThan(code))).rejects.toMatchObject({
      code: "people.wrong-code",
    });
    await expect(people.claim("12345")).rejects.toMatchObject({ code: "people.no-code" });
    // It says nothing to the bot: it is for the terminal.
    await say(message("99", code));
    expect((await people.authorise(sender("99"))).role).toBe("stranger");
    expect(await people.claim(code)).toMatchObject({ accountId: "77", name: "N77" });
    expect(await say(message("77", "hello"))).toEqual({ role: "owner", personId: "owner" });
    await say(message("55", "hello"));
    clock.pass(10 * minuteMs);
    await say(message("55", "hello"));
    const shown = platform.whispers.filter((line) => line.startsWith("55: This agent is private"));
    expect(shown).toHaveLength(2);
  });

  test("so many strangers are shown a code at once, and no more", async () => {
    const { say, platform } = await setUp();
    for (let n = 100; n < 112; n += 1) await say(message(String(n), "hello"));
    expect(platform.whispers).toHaveLength(12);
    expect(platform.whispers.filter((line) => line.includes("claim"))).toHaveLength(10);
  });

  test("a linked account is the same person, a code of one's own is spent and no task", async () => {
    const { people, say, platform } = await setUp({ owners: [77] });
    await say(message("88", (await people.invite("Bob")).code));
    const member = await people.authorise(sender("88"));
    if (member.role === "stranger") throw new Error("Bob is a member");
    await say(message("89", (await people.linkCode(member.personId)).code));
    expect(await people.authorise(sender("89"))).toEqual(member);
    const { code } = await people.pairCode();
    expect(await say(message("88", code))).toBeUndefined();
    expect(platform.whispers.at(-1)).toBe("88: This account is connected already.");
    expect(await people.authorise(sender("88"))).toEqual(member);
    // Whoever is known may write six digits, unless they are a code.
    expect(await say(message("88", otherThan(code)))).toEqual(member);
    await say(message("66", code));
    expect((await people.authorise(sender("66"))).role).toBe("stranger");
  });

  test("no code and no guess is in the data in plain form", async () => {
    const { people, say, plainFiles, platform, store } = await setUp();
    await say(message("99", "hello"));
    const claim = /claim (\d{6})/.exec(platform.whispers[0] ?? "")?.[1] ?? "none";
    const { code } = await people.pairCode();
    const [update] = await people.screen([{ updateId: "1", event: message("77", code) }]);
    if (update === undefined) throw new Error("an update stays one");
    await store.receive({ platform: "telegram", account: "1" }, [update]);
    const edit = { ...message("77", code), type: "edit" } as const;
    const [edited] = await people.screen([{ updateId: "2", event: edit }]);
    expect(edited?.event).toMatchObject({ text: "" });
    for (const secret of [claim, code, code.replace(" ", "")]) {
      expect(plainFiles()).not.toContain(secret);
    }
  });
});

describe("who may talk", () => {
  test("bots, channels and anonymous admins are strangers, whatever their number", async () => {
    const { people, say, platform } = await setUp({ owners: [77] });
    for (const kind of ["bot", "unknown"] as const) {
      expect((await people.authorise(sender("77", { kind }))).role).toBe("stranger");
      await say(message("77", "hello", { from: sender("77", { kind }) }));
    }
    expect(platform.whispers).toEqual([]);
  });

  test("is asked of the store once, and true at once after a removal", async () => {
    const { people, say, queries } = await setUp();
    await say(message("77", (await people.pairCode()).code));
    queries.count = 0;
    for (let n = 0; n < 5; n += 1) await people.authorise(sender("77"));
    expect(queries.count).toBe(1);
    await people.unlink("telegram:77");
    expect((await people.authorise(sender("77"))).role).toBe("stranger");
  });

  test("what was read before a removal and comes after it is not remembered", async () => {
    const { people, say, queries } = await setUp();
    await say(message("77", (await people.pairCode()).code));
    const { promise, resolve } = Promise.withResolvers<void>();
    queries.held = promise;
    const slow = people.authorise(sender("77"));
    await people.unlink("telegram:77");
    resolve();
    await slow;
    expect((await people.authorise(sender("77"))).role).toBe("stranger");
  });

  test("members go by name, accounts by number, and the settings' own only there", async () => {
    const { people, say } = await setUp({ owners: [77] });
    await say(message("88", (await people.invite("Bob")).code));
    expect(await people.list()).toMatchObject([
      { role: "owner", accounts: [{ accountId: "77" }] },
      { role: "member", name: "Bob", accounts: [{ accountId: "88" }] },
    ]);
    await expect(people.invite("bob")).rejects.toMatchObject({ code: "people.name-taken" });
    await expect(people.invite("<b>")).rejects.toMatchObject({ code: "people.name" });
    await expect(people.remove("owner")).rejects.toMatchObject({ code: "people.owner" });
    await expect(people.remove("Eve")).rejects.toMatchObject({ code: "people.unknown" });
    await expect(people.unlink("telegram:1")).rejects.toMatchObject({ code: "people.no-account" });
    await expect(people.unlink("77")).rejects.toMatchObject({ code: "people.configured" });
    expect((await people.remove("bob")).accounts).toHaveLength(1);
    expect((await people.authorise(sender("88"))).role).toBe("stranger");
  });

  test("the tasks that run for a removed person are told of", async () => {
    const { people, say, store } = await setUp();
    await say(message("88", (await people.invite("Bob")).code));
    const [, bob] = await people.list();
    const personId = bob?.id ?? "";
    const { id: chatId } = await store.chatAt(message("88", "").place, personId);
    const request = {
      chatId,
      personId,
      agent: "assistant",
      chosenBy: "default" as const,
      tier: null,
    };
    const task = await store.createTask({ ...request, input: "words", newConversation: false });
    await store.startTask(task.id);
    const stopped: string[] = [];
    people.onRemoved((running) => void stopped.push(...running));
    await people.remove("Bob");
    expect(stopped).toEqual([task.id]);
  });
});

describe("a group", () => {
  test("that nobody opened is closed, and the owner who means the bot is told once how it opens", async () => {
    const { say, platform, people } = await setUp({ owners: [77] });
    expect(await say(inGroup("77", { addressed: false }))).toBeUndefined();
    expect(await say(inGroup("99"))).toBeUndefined();
    expect(platform.whispers).toEqual([]);
    expect(await say(inGroup("77"))).toBeUndefined();
    expect(await say(inGroup("77"))).toBeUndefined();
    expect(platform.whispers).toEqual([
      expect.stringContaining("agent config set bots.telegram.chats.-5 people"),
    ]);
    const closed = await people.authorise(sender("77"), inGroup("77").place);
    expect(closed.role).toBe("stranger");
  });

  test.each([
    ["nobody", false, false],
    ["owner", true, false],
    ["people", true, true],
  ] as const)("that is open to %s hears them and nobody else", async (allow, owner, member) => {
    const chats = { "-5": { allow, answer: "addressed" } as const };
    const { say, people, platform } = await setUp({ owners: [77], chats });
    await say(message("88", (await people.invite("Bob")).code));
    expect((await say(inGroup("77"))) !== undefined).toBe(owner);
    expect((await say(inGroup("88"))) !== undefined).toBe(member);
    expect(await say(inGroup("99"))).toBeUndefined();
    expect(await say(inGroup("77", { addressed: false }))).toBeUndefined();
    expect(platform.whispers.filter((line) => line.startsWith("-"))).toEqual([]);
  });

  test("where all is to be answered, what is not meant for the bot is too", async () => {
    const chats = { "-5": { allow: "people", answer: "all" } as const };
    const { say } = await setUp({ owners: [77], chats });
    expect(await say(inGroup("77", { addressed: false }))).toBeDefined();
    expect(await say(inGroup("99", { addressed: false }))).toBeUndefined();
  });

  test("takes no code", async () => {
    const { say, people } = await setUp();
    const { code } = await people.pairCode();
    await say(inGroup("77", { text: code }));
    expect((await people.authorise(sender("77"))).role).toBe("stranger");
  });
});
