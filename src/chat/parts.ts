import type { Buttons, Card, ChatPlatform, NewButton, NewPart, Saying } from "#core/chat.ts";
import type { Speech } from "#core/speech.ts";
import type { Question } from "#core/question.ts";
import type { Task } from "#core/task.ts";

import { drawOffers, type Offer } from "./buttons.ts";

/** The platforms by name. */
export type Platforms = ReadonlyMap<string, ChatPlatform>;

/** The name of the platform in a chat's id. */
export function platformOf(chatId: string): string {
  return chatId.slice(0, chatId.indexOf(":"));
}

/** Where parts belong. */
export type To = Pick<NewPart, "chatId" | "taskId" | "replyTo">;

/** The visible messages of a saying, each a row for the outbox; its buttons are stored with the last, which shows them. */
export function partsFor(
  platform: ChatPlatform,
  saying: Saying,
  to: To & { readonly stored?: readonly NewButton[] },
): NewPart[] {
  const { stored = [], ...where } = to;
  const parts = platform.render(saying);
  return parts.map(({ body }, part) => ({
    ...where,
    part,
    body,
    ...(part === parts.length - 1 && stored.length > 0 ? { buttons: stored } : {}),
  }));
}

/** A card as one message. */
export function cardParts(platform: ChatPlatform, card: Card, to: To): NewPart[] {
  return partsFor(platform, { type: "card", card }, to);
}

/** What a person reads of an ended task: the answer, what there was of it when it was stopped, or why there is none. */
export function answerOf(
  { state, output, failure }: Task,
  under: { readonly buttons?: Buttons; readonly footer?: string } = {},
): Saying {
  if (state === "done") return { type: "answer", markdown: output ?? "", ...under };
  const said = state === "cancelled" ? "Stopped." : (failure?.sentence ?? "");
  if (output === null) return { type: "card", card: { text: said } };
  return { type: "answer", markdown: output, footer: said };
}

/** Chats whose notices are remembered. */
const mostChats = 2000;

/** Leaves out what a chat has seen while this process lives. */
function createOnce() {
  const seen = new Set<string>();
  return (chatId: string, notices: readonly string[]): string[] => {
    if (seen.size > mostChats) seen.clear();
    return notices.filter((notice) => {
      const key = `${chatId} ${notice}`;
      const known = seen.has(key);
      seen.add(key);
      return !known;
    });
  };
}

/** The small button under an answer that shows how it came about. */
function detailsOffer(taskId: string): Offer {
  return { label: "ⓘ", action: { do: "details", taskId } };
}

function questionCard({ id: questionId, text, choices }: Question): {
  readonly card: Card;
  readonly offers: readonly (readonly Offer[])[];
} {
  const offers = choices.map((label, choice): Offer[] => [
    { label, action: { do: "choose", questionId, choice } },
  ]);
  return { card: { text, wantsWords: choices.length === 0 }, offers };
}

/** The card of a question; its buttons are new ones each time. */
export function questionParts(platform: ChatPlatform, question: Question, task: Task): NewPart[] {
  const { chatId, replyTo } = task;
  const { card, offers } = questionCard(question);
  const { buttons, stored } = drawOffers(offers, question.personId);
  const saying: Saying = { type: "card", card: { ...card, buttons } };
  // Beside the task's answer, whose parts are numbered from 0.
  return partsFor(platform, saying, { chatId, taskId: null, replyTo, stored });
}

/**
 * What tasks say in the chats of these platforms; nothing in a chat of any other. An answer to no message goes to whoever asked for
 * it and to no chat.
 */
export function createSpeech(platforms: Platforms): Speech {
  const once = createOnce();
  const at = ({ chatId }: Task): ChatPlatform | undefined => platforms.get(platformOf(chatId));
  return {
    answer(ended, notices) {
      const platform = at(ended);
      const { chatId, id: taskId, replyTo, state } = ended;
      if (platform === undefined || replyTo === null) return [];
      const offers = state === "done" ? [[detailsOffer(taskId)]] : [];
      const { buttons, stored } = drawOffers(offers, null);
      const footer = [...once(chatId, notices.once), ...notices.always].join("\n");
      const under = { buttons, ...(footer === "" ? {} : { footer }) };
      return partsFor(platform, answerOf(ended, under), { chatId, taskId, replyTo, stored });
    },
    question(question, task) {
      const platform = at(task);
      return platform === undefined ? [] : questionParts(platform, question, task);
    },
  };
}
