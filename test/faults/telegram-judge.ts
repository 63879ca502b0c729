import type { FakeTelegram } from "../fakes/telegram/server.ts";
import type { Seen } from "../fakes/telegram/world.ts";

/** What a message asks for. */
export type Kind =
  | "words"
  | "command"
  /** The running answer is to end. */
  | "stop"
  /** The running answer is to end, and what waits is to be cleared. */
  | "stop all"
  /** More for the answer that is being written. */
  | "steer"
  /** Makes the agent ask something. */
  | "ask"
  /** Answers what the agent asked. */
  | "reply";

/** A message that a person wrote. `mark` is unique, and all of it is in the text unless it is a command. */
export interface Written {
  readonly mark: number;
  readonly chat: number;
  readonly messageId: number;
  readonly kind: Kind;
  /** The mark of the message that this one is about: the one it stops, steers or answers the question of. */
  readonly about?: number;
  /** The mark of the `/stop all` that clears this one, should it still wait. */
  readonly clearedBy?: number;
}

/** What the model's last words are, what a stopped answer ends with, how a question begins. */
export const words = { end: "fin.", stopped: "Stopped.", question: "Question:" } as const;

/** A mark as it stands in a text. */
export function markText(mark: number): string {
  return `mark${mark}x`;
}

/** All visible messages that answer one. */
interface Answer {
  readonly firstId: number;
  /** What each message reads now. */
  readonly pieces: string[];
  readonly text: string;
}

/** What a chat shows against what was written in it. */
export interface ChatVerdict {
  readonly unanswered: readonly Written[];
  readonly twice: readonly Written[];
  readonly reordered: readonly Written[];
  readonly strays: number;
}

const placeholder = "…";

function marksIn(text: string): number[] {
  return Array.from(text.matchAll(/mark(\d+)x/g), (match) => Number(match[1]));
}

function answersOf(seen: readonly Seen[]): Map<number, Answer> {
  const answers = new Map<number, Answer>();
  for (const { messageId, replyTo = 0, texts } of seen) {
    const piece = texts.at(-1) ?? "";
    if (piece === placeholder || piece.includes(words.question)) continue;
    const earlier = answers.get(replyTo);
    const pieces = [...(earlier?.pieces ?? []), piece];
    answers.set(replyTo, {
      firstId: earlier?.firstId ?? messageId,
      pieces,
      text: pieces.join("\n"),
    });
  }
  return answers;
}

function isFinal({ text }: Answer): boolean {
  return text.includes(words.end) || text.includes(words.stopped);
}

const isCommand = ({ kind }: Written): boolean =>
  kind === "command" || kind === "stop" || kind === "stop all";

/** More than one message says the end, or the same numbered line comes twice. */
function saysTwice({ text, pieces }: Answer): boolean {
  const ends = text.split(words.end).length + text.split(words.stopped).length - 2;
  const numbered = Array.from(text.matchAll(/line(\d+)\./g), (match) => match[1]);
  const heads = pieces.flatMap((piece) => [...new Set(marksIn(piece))]);
  return (
    ends > 1 || numbered.length !== new Set(numbered).size || heads.length !== new Set(heads).size
  );
}

/** Judges one chat by what is to be seen in it, and by nothing else. */
function judgeChat(written: readonly Written[], seen: readonly Seen[]): ChatVerdict {
  const answers = answersOf(seen);
  const byMark = new Map(written.map((one) => [one.mark, one]));
  const byId = new Map(written.map((one) => [one.messageId, one]));
  const shownIn = new Map<number, number[]>();
  for (const [replyTo, answer] of answers) {
    if (!isFinal(answer)) continue;
    for (const mark of new Set(marksIn(answer.text))) {
      shownIn.set(mark, [...(shownIn.get(mark) ?? []), replyTo]);
    }
  }
  const finalOf = (one: Written | undefined): Answer | undefined => {
    const answer = one && answers.get(one.messageId);
    return answer !== undefined && isFinal(answer) ? answer : undefined;
  };

  const targetOf = ({ about }: Written): Written | undefined =>
    about === undefined ? undefined : byMark.get(about);

  function isCommandAnswered(one: Written): boolean {
    const stopped = finalOf(targetOf(one))?.text.includes(words.stopped) === true;
    return answers.has(one.messageId) || (one.kind !== "command" && stopped);
  }

  function isAnswered(one: Written): boolean {
    if (isCommand(one)) return isCommandAnswered(one);
    const target = targetOf(one);
    if (finalOf(one) !== undefined || shownIn.has(one.mark)) return true;
    if (one.kind === "reply") return target !== undefined && isAnswered(target);
    const clearing = one.clearedBy === undefined ? undefined : byMark.get(one.clearedBy);
    return answers.get(clearing?.messageId ?? 0)?.text.includes("cleared") === true;
  }

  function isAnsweredTwice(one: Written): boolean {
    const answer = answers.get(one.messageId);
    if (isCommand(one)) return (answer?.pieces.length ?? 0) > 1;
    const places = new Set(shownIn.get(one.mark));
    if (finalOf(one) !== undefined) places.add(one.messageId);
    return places.size > 1 || (answer !== undefined && saysTwice(answer));
  }

  const order = [...answers]
    .toSorted(([, a], [, b]) => a.firstId - b.firstId)
    .flatMap(([replyTo]) => byId.get(replyTo) ?? [])
    .filter((one) => !isCommand(one) && one.kind !== "ask");
  return {
    unanswered: written.filter((one) => !isAnswered(one)),
    twice: written.filter(isAnsweredTwice),
    reordered: order.filter(({ mark }, i) => mark < (order[i - 1]?.mark ?? 0)),
    strays: seen.filter(({ texts }) => texts.at(-1) === placeholder).length,
  };
}

/** Keeps the verdicts of all chats up to date. */
export function createJudge(telegram: Pick<FakeTelegram, "seen">) {
  const written = new Map<number, Written[]>();
  const known = new Map<number, ChatVerdict>();
  const lost = new Set<Written>();

  function verdictOf(chat: number): ChatVerdict {
    const verdict = known.get(chat) ?? judgeChat(written.get(chat) ?? [], telegram.seen(chat));
    known.set(chat, verdict);
    return verdict;
  }

  const all = (): ChatVerdict[] => Array.from(written.keys(), verdictOf);
  return {
    verdictOf,
    add(one: Written): void {
      const mine = written.get(one.chat) ?? [];
      if (mine.push(one) === 1) written.set(one.chat, mine);
      known.delete(one.chat);
    },
    /** Something in this chat may look otherwise now. */
    touch: (chat: number) => void known.delete(chat),
    /** What has no answer, and may get one. */
    unanswered: (): Written[] =>
      all().flatMap((verdict) => verdict.unanswered.filter((one) => !lost.has(one))),
    /** Nobody waits for an answer to this any more. */
    giveUp: (one: Written) => void lost.add(one),
    totals() {
      const verdicts = all();
      const sum = (count: (verdict: ChatVerdict) => number): number =>
        verdicts.reduce((total, verdict) => total + count(verdict), 0);
      return {
        messages: [...written.values()].reduce((total, mine) => total + mine.length, 0),
        lost: lost.size,
        twice: verdicts.flatMap((verdict) => verdict.twice),
        reordered: verdicts.flatMap((verdict) => verdict.reordered),
        strays: sum((verdict) => verdict.strays),
      };
    },
  };
}

export type Judge = ReturnType<typeof createJudge>;
