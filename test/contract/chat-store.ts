import { describe, expect, test } from "vitest";

import type { IncomingMessage, Update } from "../../src/core/chat.ts";
import type { ChatStore } from "../../src/core/chat-store.ts";
import type { Store } from "../../src/core/store.ts";
import type { Task } from "../../src/core/task.ts";
import { endOf } from "./store.ts";

type Both = ChatStore & Store;

const bot = { platform: "telegram", account: "1" };
const place = { platform: "telegram", address: "77", kind: "direct" } as const;
const part = { chatId: "telegram:77", taskId: null, part: 0, replyTo: "5" };

function message(messageId: string, text = "hello"): IncomingMessage {
  return {
    type: "message",
    place,
    from: { platform: "telegram", accountId: "77", name: "Ann", kind: "person" },
    messageId,
    text,
    replyTo: null,
    addressed: true,
    forwarded: false,
    attachments: [],
  };
}

function update(updateId: string, messageId: string): Update {
  return { updateId, event: message(messageId) };
}

/** What every chat store must do; `open` gives an empty one. */
export function chatStoreContract(name: string, open: () => Promise<Both>): void {
  async function ready(): Promise<Both> {
    const store = await open();
    await store.chatAt(place, "owner");
    return store;
  }

  async function take(
    store: Both,
    messageId: string,
    own: {
      readonly mayJoin?: boolean;
      readonly personId?: string;
      readonly begins?: boolean;
      readonly tier?: "cloud-smart" | "local-smart" | null;
    } = {},
  ) {
    const [received] = await store.receive(bot, [update(`u${messageId}`, messageId)]);
    const { mayJoin = true, personId = "owner", begins = false, tier = null } = own;
    const request = {
      chatId: "telegram:77",
      personId,
      agent: "assistant",
      chosenBy: "default" as const,
      tier,
      input: `words ${messageId}`,
      newConversation: false,
      begins,
    };
    return store.takeMessage({ seq: received?.seq ?? 0, messageId, request, mayJoin });
  }

  describe(`${name} keeps the contract of a chat store`, () => {
    test("an update is new once, by its id and by its message", async () => {
      const store = await ready();
      const first = await store.receive(bot, [update("1", "a"), update("2", "b")]);
      expect(first.map(({ event }) => event)).toEqual([message("a"), message("b")]);
      expect(await store.receive(bot, [update("2", "b"), update("3", "a")])).toEqual([]);
      expect(await store.receive({ ...bot, account: "2" }, [update("1", "a")])).toHaveLength(1);
    });

    test("an update is open until it is done, and then forgotten", async () => {
      const store = await ready();
      const [one, two] = await store.receive(bot, [update("1", "a"), update("2", "b")]);
      await store.handled(one?.seq ?? 0);
      expect(await store.unhandled("telegram")).toEqual([two]);
      await store.forgetUpdates(Number.MAX_SAFE_INTEGER);
      expect(await store.unhandled("telegram")).toEqual([two]);
      expect(await store.receive(bot, [update("1", "a")])).toHaveLength(1);
    });

    test("messages join the task that is queued, and its answer goes to the last", async () => {
      const store = await ready();
      const first = await take(store, "1");
      const second = await take(store, "2");
      expect(second.joined).toBe(true);
      expect(second.task).toMatchObject({
        id: first.task.id,
        input: "words 1\n\nwords 2",
        replyTo: "2",
      });
      expect(await store.unhandled("telegram")).toEqual([]);
      await store.startTask(first.task.id);
      const third = await take(store, "3");
      expect(third.joined).toBe(false);
      expect((await take(store, "4", { mayJoin: false })).joined).toBe(false);
      expect((await take(store, "5", { personId: "owner" })).task.input).toBe("words 4\n\nwords 5");
    });

    test("what is to go to a cloud takes no other words along, and no edit of its own", async () => {
      const store = await ready();
      const cloud = await take(store, "1", { tier: "cloud-smart" });
      const home = await take(store, "2");
      expect([cloud.joined, home.joined]).toEqual([false, false]);
      expect((await take(store, "3")).task.id).toBe(home.task.id);
      expect(await store.amendMessage("telegram:77", "1", "other words")).toBe("refused");
      expect((await store.task(cloud.task.id))?.input).toBe("words 1");
      const smart = await take(store, "4", { tier: "local-smart" });
      expect(await store.amendMessage("telegram:77", "4", "better words")).toBe("amended");
      expect((await store.task(smart.task.id))?.input).toBe("better words");
    });

    test("a task that begins at once is running from the start; one that is dropped ends whatever it does", async () => {
      const store = await ready();
      const first = await take(store, "1", { begins: true });
      expect(first.task.state).toBe("running");
      expect((await take(store, "2")).joined).toBe(false);
      expect(await store.cancelTasks([first.task.id])).toEqual([]);
      await store.dropTask(first.task.id);
      expect(await store.finishTask(endOf(first.task))).toBe("over");
    });

    test("asking again makes a task and notes who wants it, or does neither", async () => {
      const store = await ready();
      const { task } = await take(store, "1");
      const { chatId, personId, agent, chosenBy, tier, input } = task;
      const anew = { chatId, personId, agent, chosenBy, tier, input, newConversation: false };
      const again = await store.askAgain(anew, { taskId: task.id, personId: "owner" });
      const wanted = { taskId: task.id, personId: "owner", kind: "again", value: again.id };
      expect(await store.feedback(task.id)).toEqual([wanted]);
      const unknown = { taskId: "unknown", personId: "owner" };
      await expect(store.askAgain(anew, unknown)).rejects.toThrow("FOREIGN KEY");
      expect(await store.tasks({ limit: 9 })).toHaveLength(2);
    });

    test("a task that was told more ends only when that was taken up, unless it was stopped", async () => {
      const store = await ready();
      const { task } = await take(store, "1", { begins: true });
      const say = async (id: string) => {
        const [said] = await store.receive(bot, [update(id, id)]);
        return store.steerTask(task.id, { seq: said?.seq ?? 0, messageId: id, text: id });
      };
      expect(await say("2")).toBe(true);
      expect(await store.finishTask(endOf(task))).toBe("steered");
      expect(await store.finishTask(endOf(task, { state: "failed" }))).toBe("steered");
      expect(await store.takeSteers(task.id, 7)).toMatchObject([{ kind: "person", text: "2" }]);
      expect(await say("3")).toBe(true);
      expect(await store.finishTask(endOf(task, { state: "cancelled" }))).toBe("ended");
      expect(await say("4")).toBe(false);
    });

    test("an edit changes what has not begun, and nothing else", async () => {
      const store = await ready();
      const { task } = await take(store, "1");
      expect(await store.amendMessage("telegram:77", "1", "better words")).toBe("amended");
      expect((await store.task(task.id))?.input).toBe("better words");
      await store.startTask(task.id);
      expect(await store.amendMessage("telegram:77", "1", "too late")).toBe("over");
      expect(await store.amendMessage("telegram:77", "unknown", "too late")).toBe("over");
    });

    test("the parts of an answer commit with the task's end, in order, and keep a message they have", async () => {
      const store = await ready();
      const { task } = await take(store, "1");
      const mine = { ...part, taskId: task.id };
      const [reserved] = await store.addParts([{ ...mine, body: "begun" }]);
      await store.placed(reserved?.id ?? 0, "m1");
      const parts = [
        { ...mine, body: "one" },
        { ...mine, part: 1, body: "two" },
      ];
      await store.finishTask({ ...endOf(task), parts });
      const rows = await store.openParts("telegram:77");
      expect(rows.map(({ body, messageId }) => [body, messageId])).toEqual([
        ["one", "m1"],
        ["two", null],
      ]);
      expect(
        await store.finishTask({ ...endOf(task), parts: [{ ...mine, part: 2, body: "again" }] }),
      ).toBe("over");
      expect(await store.openParts("telegram:77")).toHaveLength(2);
      expect((await store.taskOfMessage("telegram:77", "m1"))?.id).toBe(task.id);
      expect((await store.taskOfMessage("telegram:77", "1"))?.id).toBe(task.id);
    });

    test("what is said to a message commits with the end of its update", async () => {
      const store = await ready();
      const [received] = await store.receive(bot, [update("1", "a")]);
      await store.addParts([{ ...part, body: "said" }], received?.seq);
      expect(await store.unhandled("telegram")).toEqual([]);
      expect(await store.openParts("telegram:77")).toHaveLength(1);
    });

    test("known messages are ours and people's, by number, and the last of ours", async () => {
      const store = await ready();
      await take(store, "99");
      await take(store, "1000");
      const rows = await store.addParts([
        { ...part, body: "one" },
        { ...part, body: "two" },
      ]);
      await store.placed(rows[0]?.id ?? 0, "1001");
      const { ids, last } = await store.knownMessages("telegram:77", "999");
      expect([...ids].toSorted()).toEqual(["1000", "1001"]);
      expect(last).toBe("1001");
    });

    test("an answer that is stored while the message it will be in is being sent stays to be sent", async () => {
      const store = await ready();
      const { task } = await take(store, "1");
      await store.startTask(task.id);
      const mine = { ...part, taskId: task.id };
      const begun = await store.beginAnswer({ ...mine, body: "begun" });
      await store.finishTask({ ...endOf(task), parts: [{ ...mine, body: "the answer" }] });
      const { id = 0 } = begun ?? {};
      await store.sent({ id, body: "begun" }, "now");
      expect(await store.openParts("telegram:77")).toMatchObject([{ body: "the answer" }]);
      await store.sent({ id, body: "the answer" }, "now");
      expect(await store.openParts("telegram:77")).toEqual([]);
    });

    test("a refused part becomes several in its place", async () => {
      const store = await ready();
      const [first] = await store.addParts([
        { ...part, body: "a" },
        { ...part, body: "d" },
      ]);
      await store.replacePart(first?.id ?? 0, [{ body: "a" }, { body: "b" }, { body: "c" }]);
      const rows = await store.openParts("telegram:77");
      expect(rows.map(({ body }) => body)).toEqual(["a", "b", "c", "d"]);
      for (const row of rows.slice(0, 3)) await store.sent(row, "now");
      await store.tried(rows[3]?.id ?? 0);
      expect(await store.openParts("telegram:77")).toMatchObject([{ body: "d", attempts: 1 }]);
      expect(await store.chatsToSend("telegram")).toEqual(["telegram:77"]);
      await store.dead(rows[3]?.id ?? 0, "gone");
      expect(await store.chatsToSend("telegram")).toEqual([]);
    });

    test("a chat keeps its id when its address changes, and its own choices", async () => {
      const store = await ready();
      await store.setChat("telegram:77", { tier: "local-fast" });
      await store.moveChat("telegram", "77", "-100");
      const moved = await store.chatAt({ ...place, address: "-100" }, "owner");
      expect(moved).toMatchObject({ id: "telegram:77", tier: "local-fast", agent: null });
      expect((await store.chat("telegram:77"))?.address).toBe("-100");
    });

    test("what waits can be cancelled, what runs is left to its runner", async () => {
      const store = await ready();
      const running = await take(store, "1");
      await store.startTask(running.task.id);
      const queued = await take(store, "2");
      const ids = (tasks: readonly Task[]): string[] => tasks.map(({ id }) => id);
      expect(ids(await store.openTasksOf("telegram:77"))).toEqual([
        running.task.id,
        queued.task.id,
      ]);
      expect(await store.cancelTasks([running.task.id, queued.task.id])).toEqual([queued.task.id]);
      expect(await store.startTask(queued.task.id)).toBeUndefined();
    });
  });
}
