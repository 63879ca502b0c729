import type { ButtonAction, ChatPlatform, IncomingPress } from "#core/chat.ts";
import type { Chat, ChatStore } from "#core/chat-store.ts";
import { carrierOf, departureLines, departuresOf } from "#core/departures.ts";
import type { QuestionStore } from "#core/question-store.ts";
import type { TierName } from "#core/route.ts";
import { originLines } from "#core/route-text.ts";
import type { Store } from "#core/store.ts";
import type { Task } from "#core/task.ts";

import { type AgainDeps, askAgain } from "./again.ts";
import { drawOffers, hashOf, type Offer } from "./buttons.ts";
import { answerOf, cardParts, partsFor } from "./parts.ts";
import type { Sender } from "./sender.ts";

/** What pressing buttons works with. */
export interface PressDeps extends AgainDeps {
  readonly store: Store & ChatStore & QuestionStore;
  readonly sender: Sender;
}

/** A button that was pressed by one of our people. */
export interface Pressed {
  readonly platform: ChatPlatform;
  readonly chat: Chat;
  readonly personId: string;
  readonly press: IncomingPress;
  readonly seq: number;
}

const reasons = ["Not true", "Not what I asked", "Too long", "Something else"] as const;

/** Draws an answer again in its message, with lines of ours and other buttons under it. */
function createRedraw({ store, sender }: PressDeps) {
  return async (
    { platform, chat, press }: Pressed,
    task: Task,
    under: { readonly footer: string; readonly offers: readonly (readonly Offer[])[] },
  ): Promise<void> => {
    const { buttons, stored } = drawOffers(under.offers, null);
    const to = { chatId: chat.id, taskId: null, replyTo: null };
    const saying = answerOf(task, { buttons, footer: under.footer });
    // The buttons stand under the answer's last part, which is drawn again.
    const part = partsFor(platform, saying, { ...to, stored }).at(-1);
    if (part === undefined) return;
    await store.addParts([{ ...part, part: 0, messageId: press.messageId }]);
    sender.wake(chat.id);
  };
}

function judging({ id: taskId }: Task): Offer[] {
  return [
    { label: "Again", action: { do: "again", taskId } },
    { label: "Wrong", tone: "bad", action: { do: "wrong", taskId } },
  ];
}

/** How an answer came about, and what left this machine for it. */
async function originsOf(store: Store, { id, chatId }: Task): Promise<string> {
  const [usage, routes, receipts] = await Promise.all([
    store.usage(id),
    store.routes(id),
    store.receipts(id),
  ]);
  const left = departureLines(departuresOf(receipts), carrierOf(chatId));
  return [...originLines({ usage, routes, receipts }), ...left].join("\n");
}

/** The deployment that answered goes last; where its answer was called wrong, the next tier at home goes first. */
async function otherWay(store: Store & ChatStore, { id }: Task) {
  const [usage, feedback] = await Promise.all([store.usage(id), store.feedback(id)]);
  const answered = usage.findLast(({ outcome }) => outcome === "ok");
  const isWrong = feedback.some(({ kind }) => kind === "wrong");
  const raised: TierName | undefined =
    isWrong && answered?.tier === "local-fast" ? "local-smart" : undefined;
  return { avoid: answered?.deployment ?? null, tier: raised };
}

function createAnswerActions(deps: PressDeps) {
  const { store } = deps;
  const redraw = createRedraw(deps);

  return {
    async details(pressed: Pressed, task: Task): Promise<string> {
      await redraw(pressed, task, {
        footer: await originsOf(store, task),
        offers: [judging(task)],
      });
      return "";
    },
    async again({ personId, chat, seq: update }: Pressed, task: Task): Promise<string> {
      await askAgain(deps, task, {
        chatId: chat.id,
        personId,
        update,
        agent: task.agent,
        ...(await otherWay(store, task)),
      });
      return "Trying again.";
    },
    async wrong(pressed: Pressed, task: Task): Promise<string> {
      const { personId } = pressed;
      await store.addFeedback({ taskId: task.id, personId, kind: "wrong", value: "" });
      const offers = reasons.map((reason): Offer[] => [
        { label: reason, action: { do: "reason", taskId: task.id, reason } },
      ]);
      await redraw(pressed, task, { footer: "Noted. What is wrong with it?", offers });
      return "Noted.";
    },
    async reason(pressed: Pressed, task: Task, reason: string): Promise<string> {
      const { personId } = pressed;
      await store.addFeedback({ taskId: task.id, personId, kind: "wrong", value: reason });
      const footer = `Noted: ${reason.toLowerCase()}.`;
      await redraw(pressed, task, { footer, offers: [judging(task).slice(0, 1)] });
      return "Noted.";
    },
  };
}

/** What a press does; gives the line that its person sees. */
export function createPresses(deps: PressDeps): (pressed: Pressed) => Promise<string> {
  const { store, work, sender } = deps;
  const actions = createAnswerActions(deps);

  async function choose(pressed: Pressed, questionId: string, choice: number): Promise<string> {
    const { chat, platform, press, seq } = pressed;
    const asked = await store.question(questionId);
    const words = asked?.choices[choice];
    if (words === undefined) return "This button does nothing any more.";
    const answered = await store.answerQuestion(questionId, words, seq);
    if (answered === undefined) return "This was answered already.";
    work.begin(answered.task);
    const card = { text: `${answered.question.text}\n\nYour answer: ${words}` };
    const [part] = cardParts(platform, card, { chatId: chat.id, taskId: null, replyTo: null });
    if (part !== undefined) await store.addParts([{ ...part, messageId: press.messageId }]);
    sender.wake(chat.id);
    return words;
  }

  async function stop(taskId: string): Promise<string> {
    const stopped = work.stop(taskId) || (await store.cancelTasks([taskId])).length > 0;
    // The press is done only when it has taken effect: a crash in between must not forget it.
    await work.over(taskId);
    return stopped ? "Stopping." : "It is over already.";
  }

  async function act(pressed: Pressed, action: ButtonAction): Promise<string> {
    if (action.do === "choose") return choose(pressed, action.questionId, action.choice);
    if (action.do === "stop") return stop(action.taskId);
    const task = await store.task(action.taskId);
    if (task === undefined) return "This button does nothing any more.";
    if (action.do === "reason") return actions.reason(pressed, task, action.reason);
    return actions[action.do](pressed, task);
  }

  return async (pressed) => {
    const { chat, personId, press } = pressed;
    const action = await store.buttonAction(chat.id, { hash: hashOf(press.button), personId });
    return action === undefined ? "This button does nothing any more." : act(pressed, action);
  };
}
