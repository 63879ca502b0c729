import type { FakeTelegram } from "../fakes/telegram/server.ts";

import { type Judge, markText, words, type Written } from "./telegram-judge.ts";

/** Everybody who writes is an owner: what strangers get is no answer. */
export const owners: readonly number[] = Array.from({ length: 20 }, (_, i) => 100 + i);

/** Numbers above this are plain groups, those below supergroups, which count their messages for themselves. */
export const groups: readonly number[] = [-500, -1_000_000_000_500];
const chats: readonly number[] = [...owners, ...groups];

/** So many lines, each with a number: of two lengths, since a rich message holds eight times as much as a plain one. */
function lines(count: number): string {
  const all = Array.from({ length: count }, (_, i) => `line${i}. of an answer that is long`);
  return all.join("\\n\\n");
}

const said = `{words} ${words.end}`;

/** What the model does; the first scene whose word is in a request is played. */
export const script = `scenes:
  - { when: The conversation goes on, replies: [{ text: "It was short." }] }
  - { when: endless, replies: [{ text: "${"still going ".repeat(40)} ${said}", piece: 12, delay: 100 }] }
  - { when: asking, replies: [{ toolCalls: [{ name: ask_person, input: { question: "${words.question} left or right?", choices: [left, right] } }] }, { text: "${said}" }] }
  - { when: telling, replies: [{ toolCalls: [{ name: ask_person, input: { question: "${words.question} what is it called?" } }] }, { text: "${said}" }] }
  - { when: lengthy, replies: [{ text: "{words}\\n\\n${lines(230)}\\n\\n${words.end}" }] }
  - { when: voluminous, replies: [{ text: "{words}\\n\\n${lines(1100)}\\n\\n${words.end}" }] }
  - { when: tooling, replies: [{ toolCalls: [{ name: now, input: {} }] }, { text: "${said}", delay: 5 }] }
  - { when: slowly, replies: [{ text: "Thinking about it for a while. ${said}", piece: 8, delay: 90 }] }
  - { replies: [{ text: "${said}", piece: 60, delay: 10 }] }
`;

/** The tools that the script uses. */
export const assistant = "tools: [now, recall_history, ask_person]\n";

/** A few messages that belong together; no others are written in their chat until all are answered. */
export type Scene = "stop" | "stop all" | "steer" | "asking" | "telling";

interface Going {
  readonly chat: number;
  /** What comes next; true when nothing does. */
  readonly step: () => boolean;
}

/** A person's chat, or a group with one of them. */
interface Place {
  readonly chat: number;
  readonly from: number;
}

/** Writes for everybody, and tells the judge what was written. */
export function createCrowd(telegram: FakeTelegram, judge: Judge, random: () => number) {
  const going = new Map<number, Going>();
  const state = { next: 1 };
  const pick = <One>(from: readonly One[], fallback: One): One =>
    from[Math.floor(random() * from.length)] ?? fallback;

  function placeIn(chat: number): Place {
    return { chat, from: chat > 0 ? chat : pick(owners.slice(0, 3), 100) };
  }

  function write(
    { chat, from }: Place,
    message: Pick<Written, "kind" | "about" | "clearedBy"> & {
      readonly text: (mark: string) => string;
      readonly replyTo?: number;
    },
  ): Written {
    const { text, replyTo, ...rest } = message;
    const mark = state.next++;
    const wording = text(markText(mark));
    const isGroup = chat < 0;
    const messageId = telegram.write({
      from,
      text: isGroup && !wording.startsWith("/") ? `@heron_bot ${wording}` : wording,
      ...(isGroup ? { group: chat } : {}),
      ...(replyTo === undefined ? {} : { replyTo }),
    });
    const one = { mark, chat, messageId, ...rest };
    judge.add(one);
    return one;
  }

  const isAnswered = (one: Written): boolean =>
    !judge.verdictOf(one.chat).unanswered.some(({ mark }) => mark === one.mark);

  const free = (): number[] => chats.filter((chat) => !going.has(chat));
  const isQuiet = (chat: number): boolean => judge.verdictOf(chat).unanswered.length === 0;

  function plainText(): (mark: string) => string {
    const kind = random();
    if (kind < 0.03) return (mark) => `lengthy ${mark}`;
    if (kind < 0.05) return (mark) => `voluminous ${mark}`;
    if (kind < 0.15) return (mark) => `tooling ${mark}`;
    if (kind < 0.27) return (mark) => `slowly ${mark}`;
    return (mark) => `quick ${mark}`;
  }

  function edit({ chat, from }: Place, { messageId, mark }: Written): void {
    const text = `quick and changed ${markText(mark)}`;
    const isGroup = chat < 0;
    telegram.change({
      from,
      messageId,
      text: isGroup ? `@heron_bot ${text}` : text,
      ...(isGroup ? { group: chat } : {}),
    });
  }

  /** One message, or five at once; now and then one is changed, or a command is among them. */
  function burst(wantsEdit = false): void {
    const chat = pick(free(), 0);
    // Groups are told twenty messages a minute, so little is asked there.
    if (chat === 0 || (chat < 0 && !isQuiet(chat))) return;
    const place = placeIn(chat);
    const count = chat > 0 && random() < 0.2 ? 5 : 1;
    for (let i = 0; i < count; i += 1) {
      const one = write(place, { kind: "words", text: plainText() });
      if (wantsEdit || random() < 0.02) edit(place, one);
    }
    if (chat > 0 && random() < 0.05) command(place);
  }

  function command(
    place: Place,
    text = pick(["/status", "/help", "/agents", "/new", "/tier"], "/new"),
  ) {
    write(place, { kind: "command", text: () => text });
  }

  /** Waits so many turns, then goes on. */
  function after(turns: number, next: () => () => boolean): () => boolean {
    let left = turns;
    let then: (() => boolean) | undefined;
    return () => {
      if (then === undefined && left-- <= 0) then = next();
      return then?.() ?? false;
    };
  }

  const answered = (all: readonly Written[]) => (): boolean => all.every(isAnswered);

  function stop(place: Place): () => boolean {
    const one = write(place, { kind: "words", text: (mark) => `endless ${mark}` });
    return after(10 + random() * 30, () => {
      const stopping = write(place, { kind: "stop", about: one.mark, text: () => "/stop" });
      // A stop that came before its answer had begun says so, and is said again.
      let last = stopping;
      return () => {
        if (isAnswered(one)) return isAnswered(last);
        if (isAnswered(last)) {
          last = write(place, { kind: "stop", about: one.mark, text: () => "/stop" });
        }
        return false;
      };
    });
  }

  function stopAll(place: Place): () => boolean {
    const one = write(place, { kind: "words", text: (mark) => `slowly ${mark}` });
    return after(8 + random() * 20, () => {
      const clearedBy = state.next + 1;
      const waiting = write(place, { kind: "words", clearedBy, text: (mark) => `quick ${mark}` });
      const clear = write(place, { kind: "stop all", about: one.mark, text: () => "/stop all" });
      return answered([one, waiting, clear]);
    });
  }

  function steer(place: Place): () => boolean {
    const one = write(place, { kind: "words", text: (mark) => `slowly ${mark}` });
    return after(8 + random() * 30, () => {
      const more = write(place, {
        kind: "steer",
        about: one.mark,
        replyTo: one.messageId,
        text: (mark) => `quick and more ${mark}`,
      });
      return answered([one, more]);
    });
  }

  function ask(place: Place, scene: "asking" | "telling"): () => boolean {
    const one = write(place, { kind: "ask", text: (mark) => `${scene} ${mark}` });
    let replied: Written | undefined;
    return () => {
      if (replied !== undefined) return isAnswered(one) && isAnswered(replied);
      const card = telegram
        .seen(place.chat)
        .find(
          ({ replyTo, texts }) =>
            replyTo === one.messageId && texts.at(-1)?.includes(words.question) === true,
        );
      if (card === undefined) return false;
      const [button] = card.looks.at(-1)?.buttons.flat() ?? [];
      if (button !== undefined && random() < 0.7) {
        telegram.press(place.chat, card.messageId, button.text, place.from);
        replied = one;
        return false;
      }
      replied = write(place, {
        kind: "reply",
        about: one.mark,
        replyTo: card.messageId,
        text: (mark) => `left ${mark}`,
      });
      return false;
    };
  }

  const begins: Readonly<Record<Scene, (place: Place) => () => boolean>> = {
    stop,
    "stop all": stopAll,
    steer,
    asking: (place) => ask(place, "asking"),
    telling: (place) => ask(place, "telling"),
  };
  const scenes: readonly Scene[] = ["stop", "stop all", "steer", "asking", "telling"];

  function begin(scene: Scene): void {
    const chat = pick(
      free().filter((one) => isQuiet(one)),
      0,
    );
    if (chat !== 0) going.set(chat, { chat, step: begins[scene](placeIn(chat)) });
  }

  return {
    begin,
    burst,
    command: (text: string) =>
      command(
        placeIn(
          pick(
            owners.filter((one) => !going.has(one)),
            100,
          ),
        ),
        text,
      ),
    /** Everybody goes on with what was begun. */
    step(): void {
      for (const { chat, step } of going.values()) if (step()) going.delete(chat);
    },
    /** Something new, of any kind. */
    anything(): void {
      if (random() < 0.08) begin(pick(scenes, "stop"));
      else burst();
    },
    /** True where nothing was begun that still goes on. */
    isDone: () => going.size === 0,
    /** Nobody goes on with what was begun. */
    forget: () => going.clear(),
  };
}

export type Crowd = ReturnType<typeof createCrowd>;
