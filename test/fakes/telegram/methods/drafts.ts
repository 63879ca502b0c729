import { bad } from "../refusal.ts";
import { changed, type Chat, type Draft, type Look, plainLook, type World } from "../world.ts";

import { richFor, topicFor, wordsFor, writableChat } from "./checks.ts";
import { type Context, type Handler, type Input, on, type Result } from "./context.ts";

/** How long a draft stays by itself. */
const draftMs = 30_000;

/** The draft that a person sees in a place now. */
export function liveDraft(world: World, chat: Chat, topic: number | undefined): Draft | undefined {
  const draft = chat.drafts.findLast((one) => one.topic === topic);
  const isLive = draft?.ended === undefined && (draft?.until ?? 0) > world.clock.now();
  return isLive ? draft : undefined;
}

/** A message takes the place of the drafts before it. */
export function endDrafts(
  chat: Chat,
  topic: number | undefined,
  why: "message" | "replaced",
): void {
  const last = chat.drafts.findLast((draft) => draft.topic === topic);
  if (last !== undefined) last.ended ??= why;
}

function draw(
  world: World,
  input: Omit<Input<"sendMessageDraft">, "text" | "entities" | "parse_mode">,
  look: Look,
): Result {
  const { chat_id: chatId, draft_id: draftId, can_stop: canStop = false } = input;
  if (draftId === 0) throw bad("DRAFT_ID_INVALID");
  const chat = writableChat(world, chatId);
  if (chat.type !== "private") throw bad("drafts can be sent only to private chats");
  const topic = topicFor(chat, input.message_thread_id);
  const until = world.clock.now() + draftMs;
  const live = liveDraft(world, chat, topic);
  const keepOnStop = input.keep_on_stop ?? false;
  if (live?.draftId === draftId) {
    live.looks.push(look);
    Object.assign(live, { until, canStop, keepOnStop });
  } else {
    if (live !== undefined) endDrafts(chat, topic, "replaced");
    const ended = undefined;
    chat.drafts.push({ draftId, topic, looks: [look], canStop, keepOnStop, until, ended });
  }
  changed(world, chat.id);
  return true;
}

async function sendMessageDraft(
  context: Context,
  input: Input<"sendMessageDraft">,
): Promise<Result> {
  const { text = "", entities, parse_mode: mode } = input;
  const preview = { is_disabled: true };
  const look =
    text === "" ? plainLook("") : await wordsFor(context, { text, entities, mode, preview });
  return draw(context.world, input, look);
}

/** What streams before the message is there. */
export const draftMethods: readonly Handler[] = [
  on("sendMessageDraft", sendMessageDraft),
  on("sendRichMessageDraft", ({ world }, input) =>
    draw(world, input, richFor(world, input.rich_message)),
  ),
];
