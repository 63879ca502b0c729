import type { Buttons, ChatPlatform, NewButton, Saying, Target } from "#core/chat.ts";
import type { Chat, OutboxPart } from "#core/chat-store.ts";
import type { Clock } from "#core/clock.ts";
import type { Task } from "#core/task.ts";

import { drawOffers } from "./buttons.ts";
import type { SenderDeps, Wait } from "./deliver.ts";
import { partsFor } from "./parts.ts";

/** What there is of an answer. */
export interface Piece {
  readonly task: Task;
  readonly markdown: string;
}

/** The chat of a piece. */
interface Where {
  readonly chat: Chat;
  readonly platform: ChatPlatform;
}

/** A message that shows an unfinished answer by edits. */
interface Shown {
  readonly buttons: Buttons;
  readonly stored: readonly NewButton[];
  /** The row that makes its placeholder. */
  row: number | undefined;
  messageId: string | undefined;
}

/** A draft that hangs must not hold back the answer. */
const draftMs = 2000;

const shown: Wait = { ms: 0, everywhere: false };

/** Where a piece goes, on whose behalf. */
function targetOf({ task: { id: taskId, replyTo } }: Piece, { address }: Chat): Target {
  return { address, replyTo, taskId };
}

async function draft(piece: Piece, { chat, platform }: Where, clock: Clock) {
  const { task, markdown } = piece;
  const done = new AbortController();
  const drafted = platform.draft?.(targetOf(piece, chat), task.id, markdown).catch(() => undefined);
  await Promise.race([drafted, clock.sleep(draftMs, done.signal)]);
  done.abort();
  return shown;
}

/** What stands in the message: something, whatever there is. */
function shownText(markdown: string): string {
  return markdown.trim() === "" ? "…" : markdown;
}

/** Shows each unfinished answer by edits of one message, the one that the answer will be in. */
function createEdits({ store }: SenderDeps) {
  const messages = new Map<string, Shown>();

  /** Makes the message, with a button that stops its task; what stays as it is, such as a wait, is not shown again. */
  async function begin({ task, markdown }: Piece, { platform }: Where): Promise<void> {
    const stop = { label: "Stop", action: { do: "stop", taskId: task.id } } as const;
    const { buttons, stored } = drawOffers([[stop]], null);
    const message: Shown = { buttons, stored, row: undefined, messageId: undefined };
    messages.set(task.id, message);
    const { chatId, id: taskId, replyTo } = task;
    const saying: Saying = { type: "answer", markdown: shownText(markdown), buttons };
    const [part] = partsFor(platform, saying, { chatId, taskId, replyTo, stored });
    message.row = part && (await store.beginAnswer({ ...part, taskId }))?.id;
  }

  return {
    messages,
    async show(piece: Piece, where: Where): Promise<Wait> {
      const { chat, platform } = where;
      const message = messages.get(piece.task.id);
      if (message?.messageId === undefined) {
        if (message === undefined) await begin(piece, where);
        return shown;
      }
      const markdown = shownText(piece.markdown);
      const [part] = platform.render({ type: "answer", markdown, buttons: message.buttons });
      if (part === undefined) return shown;
      const sent = await platform.edit(targetOf(piece, chat), message.messageId, part);
      if (sent.ok || sent.why.type !== "later") return shown;
      return { ms: sent.why.waitMs, everywhere: sent.why.everywhere, asked: true };
    },
  };
}

/** Shows unfinished answers; one piece of each chat waits, the newest. */
export function createShowing(deps: SenderDeps) {
  const pieces = new Map<string, Piece>();
  const edits = createEdits(deps);

  function hush(taskId: string): void {
    edits.messages.delete(taskId);
    for (const [chatId, { task }] of pieces) if (task.id === taskId) pieces.delete(chatId);
  }

  return {
    put: (task: Task, markdown: string) => void pieces.set(task.chatId, { task, markdown }),
    take(chatId: string): Piece | undefined {
      const piece = pieces.get(chatId);
      pieces.delete(chatId);
      return piece;
    },
    hush,
    /** A row was sent: the placeholder of a shown answer, or the answer itself, after which nothing of it is shown. */
    sent({ id, taskId }: OutboxPart, messageId: string): void {
      if (taskId === null) return;
      const message = edits.messages.get(taskId);
      if (message?.row === id && message.messageId === undefined) message.messageId = messageId;
      else hush(taskId);
    },
    show(piece: Piece, where: Where): Promise<Wait> {
      const { live } = where.platform.manners(where.chat.address);
      return live === "draft" ? draft(piece, where, deps.clock) : edits.show(piece, where);
    },
  };
}
