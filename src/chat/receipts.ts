import type { ChatPlatform } from "#core/chat.ts";
import type { Chat } from "#core/chat-store.ts";

/** So many signs of a chat may be on their way: whoever sends a hundred messages needs no hundred signs. */
const most = 5;

/** Puts a sign on messages that have to wait. */
export type Receipts = (platform: ChatPlatform, chat: Chat, messageId: string) => void;

/** Signs that may be lost, a few at a time in each chat. */
export function createReceipts(): Receipts {
  const going = new Map<string, number>();
  const change = (chatId: string, by: number): void => {
    const left = (going.get(chatId) ?? 0) + by;
    if (left === 0) going.delete(chatId);
    else going.set(chatId, left);
  };
  return (platform, { id, address }, messageId) => {
    if ((going.get(id) ?? 0) >= most) return;
    change(id, 1);
    const signed = platform.receipt(address, messageId).catch(() => undefined);
    void signed.finally(() => change(id, -1));
  };
}
