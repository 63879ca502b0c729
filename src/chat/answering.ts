import type {
  ChatPlatform,
  IncomingEdit,
  IncomingPress,
  IncomingReaction,
  IncomingStop,
} from "#core/chat.ts";
import type { Received } from "#core/chat-store.ts";

import { cardParts } from "./parts.ts";
import { createPresses } from "./presses.ts";
import { type ChatsDeps, createReplies, type Hands, type Said } from "./replies.ts";
import { createTopics } from "./topics.ts";

/** Who does something in which chat; undefined where it is none of our people. */
function createPlaces({ store, people }: ChatsDeps) {
  return {
    async placeOf(event: Pick<IncomingEdit, "place" | "from">) {
      const standing = await people.authorise(event.from, event.place);
      if (standing.role === "stranger") return undefined;
      return { ...standing, chat: await store.chatAt(event.place, standing.personId) };
    },
    /** Presses and reactions may come without the topic of their message. */
    async placeOfMessage(event: IncomingPress | IncomingReaction) {
      const standing = await people.authorise(event.from, event.place);
      if (standing.role === "stranger") return undefined;
      const known = await store.chatOfMessage(event.place, event.messageId);
      const chat = known ?? (await store.chatAt(event.place, standing.personId));
      return { ...standing, chat };
    },
  };
}

/** Said of an edit that is not taken: what asked for a cloud is not turned into words of which nobody said so. */
const unamended =
  "This request is for a cloud, so its edit is not taken: /stop all takes it back, then write it anew.";

/** What is done with everything but messages. */
function createOthers(deps: ChatsDeps, { work, sender }: Hands) {
  const { store, people } = deps;
  const press = createPresses({ ...deps, work, sender });
  const places = createPlaces(deps);

  async function onPress(platform: ChatPlatform, seq: number, event: IncomingPress): Promise<void> {
    const at = await places.placeOfMessage(event);
    // What was decided is stored before it is acknowledged, and an acknowledgement that fails takes nothing back.
    const line =
      at === undefined
        ? "Only this agent's people can press this."
        : await press({ ...at, platform, press: event, seq });
    platform.acknowledge(event.pressId, line).catch(() => undefined);
  }

  async function onReaction(event: IncomingReaction): Promise<void> {
    const at = await places.placeOfMessage(event);
    const task = at && (await store.taskOfMessage(at.chat.id, event.messageId));
    if (at === undefined || task === undefined) return;
    const value = event.reactions.join(" ");
    await store.addFeedback({ taskId: task.id, personId: at.personId, kind: "reaction", value });
  }

  async function onStop(event: IncomingStop): Promise<void> {
    const at = await places.placeOf(event);
    const open = at === undefined ? [] : await store.openTasksOf(at.chat.id);
    const stopped = open.filter(({ state, id }) => state === "running" && work.stop(id));
    await Promise.all(stopped.map(({ id }) => work.over(id)));
  }

  async function onEdit(platform: ChatPlatform, seq: number, event: IncomingEdit): Promise<void> {
    const at = await places.placeOf(event);
    if (at === undefined) return;
    const { id: chatId } = at.chat;
    const { messageId: replyTo, text } = event;
    if ((await store.amendMessage(chatId, replyTo, text)) !== "refused") return;
    await store.addParts(
      cardParts(platform, { text: unamended }, { chatId, taskId: null, replyTo }),
      seq,
    );
    sender.wake(chatId);
  }

  return async (platform: ChatPlatform, { seq, event }: Received): Promise<void> => {
    if (event.type === "press") await onPress(platform, seq, event);
    else if (event.type === "edit") await onEdit(platform, seq, event);
    else if (event.type === "stop") await onStop(event);
    else if (event.type === "reaction") await onReaction(event);
    else if (event.type === "join") await people.welcome(platform, event);
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
): (platform: ChatPlatform, received: Received, goesOn: boolean) => Promise<boolean> {
  const { store, people } = deps;
  const reply = createReplies(deps, hands);
  const other = createOthers(deps, hands);
  const topics = createTopics();

  /** Whoever was removed while a message was being stored has no task of it either. */
  async function drop(chatId: string, messageId: string): Promise<void> {
    const task = await store.taskOfMessage(chatId, messageId);
    if (task === undefined) return;
    await store.dropTask(task.id);
    hands.work.stop(task.id);
  }

  async function onMessage(
    platform: ChatPlatform,
    { seq, message, goesOn }: Pick<Said, "seq" | "message" | "goesOn">,
  ): Promise<boolean> {
    const admitted = await people.admit(platform, message);
    if (admitted === undefined) return false;
    const chat = await store.chatAt(message.place, admitted.personId);
    topics.name(platform, message);
    const done = await reply({ ...admitted, chat, platform, message, seq, goesOn });
    const after = await people.authorise(message.from);
    if (after.role === "stranger") await drop(chat.id, message.messageId);
    return done;
  }

  return async (platform, received, goesOn) => {
    const { seq, event } = received;
    if (event.type === "message") return onMessage(platform, { seq, message: event, goesOn });
    if (event.type === "topic" && !event.named) topics.unnamed(event.place);
    await other(platform, received);
    return false;
  };
}
