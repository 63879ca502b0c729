import { describe, expect, test } from "vitest";

import type { AttachmentStore } from "../../src/core/attachments.ts";
import type { Attachment } from "../../src/core/chat.ts";
import type { ChatStore } from "../../src/core/chat-store.ts";

type Both = ChatStore & AttachmentStore;

const place = { platform: "telegram", address: "77", kind: "direct" } as const;
const chatId = "telegram:77";

function file(reference: string): Attachment {
  const rest = { name: `${reference}.txt`, mediaType: "text/plain", size: null };
  return { kind: "document", reference, ...rest };
}

/** What every store of attachments must do; `open` gives an empty one. */
export function attachmentStoreContract(name: string, open: () => Promise<Both>): void {
  async function ready() {
    const store = await open();
    await store.chatAt(place, "owner");
    const request = {
      chatId,
      personId: "owner",
      agent: "assistant",
      chosenBy: "default" as const,
      tier: null,
      input: "look",
      newConversation: false,
    };
    const take = async (messageId: string, mayJoin = true) =>
      (await store.takeMessage({ seq: 0, messageId, request, mayJoin })).task.id;
    const references = async (taskId: string) =>
      (await store.attachmentsOf(taskId)).map(({ reference }) => reference);
    return { store, take, references };
  }

  describe(`${name} keeps the contract of a store of attachments`, () => {
    test("a message's files are noted once and in order, before it is a task's", async () => {
      const { store } = await ready();
      const message = { chatId, messageId: "1" };
      const noted = await store.noteAttachments(message, [file("b"), file("a")]);
      expect(noted).toMatchObject([
        { ...file("b"), ...message, sha256: null, problem: null },
        { ...file("a"), ...message, sha256: null, problem: null },
      ]);
      expect(new Set(noted.map(({ id }) => id)).size).toBe(2);
      expect(await store.noteAttachments(message, [file("changed"), file("a")])).toEqual(noted);
      expect(await store.noteAttachments({ chatId, messageId: "2" }, [])).toEqual([]);
    });

    test("a task has the files of all its messages, in the order in which they were said, and no others", async () => {
      const { store, take, references } = await ready();
      const task = await take("9");
      await store.noteAttachments({ chatId, messageId: "1" }, [file("later"), file("last")]);
      await store.noteAttachments({ chatId, messageId: "9" }, [file("first")]);
      await store.noteAttachments({ chatId, messageId: "5" }, [file("other")]);
      expect(await take("1")).toBe(task);
      const other = await take("5", false);
      expect(await references(task)).toEqual(["first", "later", "last"]);
      expect(await references(other)).toEqual(["other"]);
      expect(await references("unknown")).toEqual([]);
    });

    test("what is asked again has the files of what was asked first, however often", async () => {
      const { store, take, references } = await ready();
      await store.noteAttachments({ chatId, messageId: "1" }, [file("first")]);
      await store.noteAttachments({ chatId, messageId: "2" }, [file("second")]);
      const task = await take("1");
      await take("2");
      const request = {
        chatId,
        personId: "owner",
        agent: "assistant",
        chosenBy: "option" as const,
      };
      const anew = { ...request, tier: null, input: "look", newConversation: false, replyTo: "2" };
      const again = await store.askAgain(anew, { taskId: task, personId: "owner" });
      const oncemore = await store.askAgain(anew, { taskId: again.id, personId: "owner" });
      expect(await references(again.id)).toEqual(["first", "second"]);
      expect(await references(oncemore.id)).toEqual(["first", "second"]);
      expect(await references(task)).toEqual(["first", "second"]);
    });

    test("a file is stored, or given up with the reason, and may come after all", async () => {
      const { store, take } = await ready();
      const task = await take("1");
      const noted = await store.noteAttachments({ chatId, messageId: "1" }, [file("a"), file("b")]);
      const [a, b] = noted.map(({ id }) => id);
      const stored = { sha256: "0".repeat(64), size: 3 };
      await store.settleAttachment(a ?? "", stored);
      await store.settleAttachment(b ?? "", { problem: "too large" });
      expect(await store.attachmentsOf(task)).toMatchObject([
        { ...stored, problem: null },
        { sha256: null, size: null, problem: "too large" },
      ]);
      await store.settleAttachment(b ?? "", stored);
      expect(await store.attachmentsOf(task)).toMatchObject([stored, { ...stored, problem: null }]);
    });
  });
}
