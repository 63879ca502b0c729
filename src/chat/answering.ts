import type {
  ChatPlatform,
  IncomingEdit,
  IncomingMessage,
  IncomingPress,
  IncomingReaction,
  IncomingStop,
} from "#core/chat.ts";
import type { Received } from "#core/chat-store.ts";

import { createPresses } from "./presses.ts";
import { type ChatsDeps, createReplies, type Hands } from "./replies.ts";

/** Strangers are given one hint each while this process lives; so many are remembered. */
const hintLimit = 1000;

const hint = "This agent is private: its owner can let you in.";

/** Tells a stranger once, in a private chat, what this is; groups hear nothing. */
function createHints() {
  const hinted = new Set<string>();
  return async (platform: ChatPlatform, { place, from }: IncomingMessage): Promise<void> => {
    if (place.kind !== "direct" || from.kind !== "person" || hinted.has(from.accountId)) return;
    if (hinted.size >= hintLimit) hinted.clear();
    hinted.add(from.accountId);
    await platform.whisper(place.address, hint);
  };
}

/** What is done with everything but messages. */
function createOthers(deps: ChatsDeps, { work, sender }: Hands) {
  const { store, people } = deps;
  const press = createPresses({ ...deps, work, sender });

  async function placeOf(event: Pick<IncomingEdit, "place" | "from">) {
    const standing = await people.authorise(event.from);
    if (standing.role === "stranger") return undefined;
    return { ...standing, chat: await store.chatAt(event.place, standing.personId) };
  }

  async function onPress(platform: ChatPlatform, seq: number, event: IncomingPress): Promise<void> {
    const at = await placeOf(event);
    // What was decided is stored before it is acknowledged, and an acknowledgement that fails takes nothing back.
    const line =
      at === undefined
        ? "Only this agent's people can press this."
        : await press({ ...at, platform, press: event, seq });
    platform.acknowledge(event.pressId, line).catch(() => undefined);
  }

  async function onReaction(event: IncomingReaction): Promise<void> {
    const at = await placeOf(event);
    const task = at && (await store.taskOfMessage(at.chat.id, event.messageId));
    if (at === undefined || task === undefined) return;
    const value = event.reactions.join(" ");
    await store.addFeedback({ taskId: task.id, personId: at.personId, kind: "reaction", value });
  }

  async function onStop(event: IncomingStop): Promise<void> {
    const at = await placeOf(event);
    const open = at === undefined ? [] : await store.openTasksOf(at.chat.id);
    for (const { id } of open.filter(({ state }) => state === "running")) work.stop(id);
  }

  async function onEdit(event: IncomingEdit): Promise<void> {
    const at = await placeOf(event);
    if (at !== undefined) await store.amendMessage(at.chat.id, event.messageId, event.text);
  }

  return async (platform: ChatPlatform, { seq, event }: Received): Promise<void> => {
    if (event.type === "press") await onPress(platform, seq, event);
    else if (event.type === "edit") await onEdit(event);
    else if (event.type === "stop") await onStop(event);
    else if (event.type === "reaction") await onReaction(event);
    else if (event.type === "move") {
      await store.moveChat(platform.name, event.place.address, event.to);
    }
  };
}

/**
 * Answers each kind of event that a platform tells of; gives true where its update is marked as done already. Rejects where the
 * store does, and with bugs.
 */
export function createAnswering(
  deps: ChatsDeps,
  hands: Hands,
): (platform: ChatPlatform, received: Received) => Promise<boolean> {
  const { store, people } = deps;
  const refuse = createHints();
  const reply = createReplies(deps, hands);
  const other = createOthers(deps, hands);

  return async (platform, received) => {
    const { seq, event } = received;
    if (event.type !== "message") {
      await other(platform, received);
      return false;
    }
    const standing = await people.authorise(event.from);
    if (standing.role === "stranger") await refuse(platform, event);
    if (standing.role === "stranger" || !event.addressed) return false;
    const chat = await store.chatAt(event.place, standing.personId);
    return reply({ ...standing, chat, platform, message: event, seq });
  };
}
