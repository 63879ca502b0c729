import { describe, expect, test } from "vitest";

import type { Place } from "../../src/core/chat.ts";
import type { ChatStore } from "../../src/core/chat-store.ts";
import type { Clock } from "../../src/core/clock.ts";
import type { CodePurpose, NamedAccount, NewCode, PeopleStore } from "../../src/core/people.ts";
import type { Store } from "../../src/core/store.ts";
import type { Task } from "../../src/core/task.ts";
import { createFakeClock } from "../fakes/clock.ts";
import { endOf } from "./store.ts";

type All = PeopleStore & ChatStore & Store;

const minuteMs = 60_000;

const ann: NamedAccount = { platform: "telegram", accountId: "77", name: "Ann" };
const bob: NamedAccount = { platform: "telegram", accountId: "88", name: "Bob B." };

/** What every store of people must do; `open` gives an empty one. */
export function peopleStoreContract(name: string, open: (clock: Clock) => Promise<All>): void {
  const clock = createFakeClock();

  function codeFor(purpose: CodePurpose, own: Partial<NewCode> = {}): NewCode {
    const expiresAt = clock.now() + 10 * minuteMs;
    const whose = { personId: purpose === "invite" ? null : "owner", account: null, name: null };
    return { purpose, ...whose, salt: "00", hash: "11", expiresAt, triesLeft: 5, ...own };
  }

  async function join(store: All, code: NewCode, account: NamedAccount) {
    await store.addCode(code);
    const [made] = (await store.openCodes(code.purpose)).slice(-1);
    return store.useCode(made?.id ?? 0, account);
  }

  async function withBob(store: All): Promise<string> {
    return (await join(store, codeFor("invite", { name: "Bob" }), bob))?.id ?? "";
  }

  async function ask(store: All, address: string, own: { personId: string; kind?: Place["kind"] }) {
    const { personId, kind = "direct" } = own;
    const platform = address === "main" ? "terminal" : "telegram";
    const chat = await store.chatAt({ platform, address, kind }, personId);
    const request = { chatId: chat.id, personId, agent: "assistant", chosenBy: "default" as const };
    const rest = { tier: null, input: "words", newConversation: false };
    return store.createTask({ ...request, ...rest });
  }

  async function states(store: All, tasks: readonly Task[]) {
    const found = await Promise.all(tasks.map(({ id }) => store.task(id)));
    return found.map((task) => task?.state);
  }

  describe(`${name} keeps the contract of a store of people`, () => {
    test("a code makes an account the owner's, once", async () => {
      const store = await open(clock);
      expect(await store.personOf(ann)).toBeUndefined();
      const person = { id: "owner", role: "owner", name: null, accounts: [ann] };
      expect(await join(store, codeFor("pair"), ann)).toEqual(person);
      expect(await store.personOf(ann)).toEqual(person);
      expect(await store.openCodes("pair")).toEqual([]);
      expect(await store.useCode(1, bob)).toBeUndefined();
      expect(await store.people()).toEqual([person]);
    });

    test("an account is one person's, and a code that meets it is gone all the same", async () => {
      const store = await open(clock);
      await join(store, codeFor("pair"), ann);
      expect(await join(store, codeFor("invite", { name: "Ann" }), ann)).toBeUndefined();
      expect(await store.openCodes("invite")).toEqual([]);
      expect(await store.people()).toHaveLength(1);
    });

    test("an invitation makes a member, and a link adds an account to that person", async () => {
      const store = await open(clock);
      const bobId = await withBob(store);
      await join(store, codeFor("pair"), ann);
      const other = { ...bob, accountId: "89" };
      const linked = await join(store, codeFor("link", { personId: bobId }), other);
      expect(linked).toMatchObject({ id: bobId, role: "member", name: "Bob" });
      expect((await store.people()).map(({ role, accounts }) => [role, accounts.length])).toEqual([
        ["owner", 1],
        ["member", 2],
      ]);
      await store.removePerson(bobId);
      expect(
        await join(store, codeFor("link", { personId: bobId }), { ...bob, accountId: "90" }),
      ).toBeUndefined();
    });

    test("a code that is claimed is for its account only", async () => {
      const store = await open(clock);
      const claim = codeFor("claim", { account: bob });
      expect(await join(store, claim, ann)).toBeUndefined();
      expect((await join(store, claim, bob))?.role).toBe("owner");
    });

    test("codes end by time, by tries and by a newer one of their kind", async () => {
      const store = await open(clock);
      await store.addCode(codeFor("invite", { name: "Bob", hash: "old" }));
      await store.addCode(codeFor("invite", { name: "Eve" }));
      await store.addCode(codeFor("invite", { name: "Bob", hash: "new" }));
      await store.addCode(codeFor("claim", { account: ann }));
      await store.addCode(codeFor("claim", { account: bob }));
      const invites = await store.openCodes("invite");
      expect(invites.map(({ name: who, hash }) => [who, hash])).toEqual([
        ["Eve", "11"],
        ["Bob", "new"],
      ]);
      const claims = await store.openCodes("claim");
      expect(claims.map(({ account }) => account)).toEqual([ann, bob]);
      for (let tries = 0; tries < 4; tries += 1) await store.missCodes("invite");
      expect(await store.openCodes("invite")).toMatchObject([{ triesLeft: 1 }, { triesLeft: 1 }]);
      await store.missCodes("invite");
      expect(await store.openCodes("invite")).toEqual([]);
      expect(await store.useCode(invites[0]?.id ?? 0, bob)).toBeUndefined();
      clock.pass(10 * minuteMs);
      expect(await store.openCodes("claim")).toEqual([]);
      expect(await store.useCode(claims[1]?.id ?? 0, bob)).toBeUndefined();
    });

    test("a removed account is a stranger's, and its tasks end with what was to be sent of them", async () => {
      const store = await open(clock);
      const bobId = await withBob(store);
      const running = await ask(store, "88", { personId: bobId });
      const queued = await ask(store, "88/5", { personId: bobId });
      const inGroup = await ask(store, "-5", { personId: bobId, kind: "group" });
      const others = [
        await ask(store, "-5", { personId: "owner", kind: "group" }),
        await ask(store, "888", { personId: "owner" }),
      ];
      await store.startTask(running.id);
      const part = { chatId: running.chatId, taskId: running.id, part: 0, replyTo: null };
      await store.addParts([{ ...part, body: "half" }]);
      expect(await store.removeAccount(bob)).toEqual({ removed: true, running: [running.id] });
      expect(await states(store, [running, queued, inGroup])).toEqual(
        Array.from({ length: 3 }, () => "cancelled"),
      );
      expect(await states(store, others)).toEqual(["queued", "queued"]);
      expect(await store.finishTask({ ...endOf(running), parts: [{ ...part, body: "all" }] })).toBe(
        "over",
      );
      expect(await store.chatsToSend("telegram")).toEqual([]);
      expect(await store.personOf(bob)).toBeUndefined();
      expect(await store.people()).toMatchObject([{ id: "owner", accounts: [] }]);
      expect(await store.removeAccount(bob)).toEqual({ removed: false, running: [] });
    });

    test("one of several accounts ends only what was asked from it", async () => {
      const store = await open(clock);
      const second = { ...ann, accountId: "78" };
      await join(store, codeFor("pair"), ann);
      await join(store, codeFor("pair"), second);
      const first = await ask(store, "77", { personId: "owner" });
      const kept = [
        await ask(store, "78", { personId: "owner" }),
        await ask(store, "-5", { personId: "owner", kind: "group" }),
        await ask(store, "main", { personId: "owner" }),
      ];
      await store.removeAccount(ann);
      expect(await states(store, [first, ...kept])).toEqual([
        "cancelled",
        "queued",
        "queued",
        "queued",
      ]);
    });

    test("a member is removed with all accounts, and the owner is not", async () => {
      const store = await open(clock);
      const bobId = await withBob(store);
      await join(store, codeFor("link", { personId: bobId }), { ...bob, accountId: "89" });
      await join(store, codeFor("pair"), ann);
      expect(await store.removePerson("owner")).toEqual({ removed: false, running: [] });
      expect(await store.removePerson("nobody")).toEqual({ removed: false, running: [] });
      expect((await store.removePerson(bobId)).removed).toBe(true);
      expect((await store.people()).map(({ id }) => id)).toEqual(["owner"]);
    });

    test("who comes to a chat that was another's begins afresh in it", async () => {
      const store = await open(clock);
      const bobId = await withBob(store);
      const chat = await store.chatAt(
        { platform: "telegram", address: "88", kind: "direct" },
        bobId,
      );
      const task = await ask(store, "88", { personId: bobId });
      await store.setChat(chat.id, { tier: "local-fast" });
      await store.removePerson(bobId);
      await join(store, codeFor("pair"), bob);
      expect((await store.chat(chat.id))?.tier).toBeNull();
      const next = await ask(store, "88", { personId: "owner" });
      expect(next.conversation).toBe(task.conversation + 1);
    });
  });
}
