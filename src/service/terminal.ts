import {
  type Button,
  type ChatEvent,
  type ChatPlatform,
  type Place,
  type Saying,
  type Sender,
  terminalPlatform,
  type Unsent,
} from "#core/chat.ts";
import type { Clock } from "#core/clock.ts";
import { newId } from "#core/ids.ts";
import type { TerminalEvent } from "#core/terminal.ts";

/** The chats of this machine's terminals, over whoever attends them. */
export interface Terminal {
  readonly platform: ChatPlatform;
  /** Shows a chat to one more, the last card that wants an answer at once; what it gives ends that. */
  attend(address: string, listener: (event: TerminalEvent) => void): () => void;
  /** True where the last of a chat is a card that wants an answer, and can be shown again. */
  isAsking(address: string): boolean;
  /** Words as what happens by them: a number presses that button of the last card. `id` is the event's own. */
  read(address: string, words: string, id: string): ChatEvent;
}

/** A part as it is stored. */
interface Body {
  readonly answer: string;
  readonly notes: string;
  readonly buttons: readonly Button[];
  /** True for what wants an answer. */
  readonly asks: boolean;
}

/** A card that was shown last in its chat. */
interface ShownCard {
  readonly event: TerminalEvent & { readonly type: "message" };
  readonly buttons: readonly Button[];
}

const absent: Unsent = { type: "absent" };

/** Whoever sits at the terminal. */
const sender: Sender = {
  platform: terminalPlatform,
  accountId: "local",
  name: "terminal",
  kind: "person",
};

function bodyOf(saying: Saying): Body {
  if (saying.type === "answer") {
    const { markdown: answer, footer: notes = "" } = saying;
    return { answer, notes, buttons: [], asks: false };
  }
  const { title, text, buttons = [], files = [], wantsWords = false } = saying.card;
  const added = files.map((file) => ("text" in file ? `${file.name}:\n${file.text}` : file.name));
  const notes = [title, text, ...added].filter((piece) => piece !== undefined).join("\n\n");
  return { answer: "", notes, buttons: buttons.flat(), asks: wantsWords || buttons.length > 0 };
}

function readBody(body: string): Body {
  return JSON.parse(body);
}

/** Those who attend each chat. */
function createAudience() {
  const listeners = new Map<string, Set<(event: TerminalEvent) => void>>();
  return {
    isThere: (address: string): boolean => listeners.has(address),
    tell: (address: string, event: TerminalEvent): Promise<void> => {
      for (const listener of listeners.get(address) ?? []) listener(event);
      return Promise.resolve();
    },
    add(address: string, listener: (event: TerminalEvent) => void): () => void {
      const there = listeners.get(address) ?? new Set();
      listeners.set(address, there.add(listener));
      return () => {
        there.delete(listener);
        if (there.size === 0 && listeners.get(address) === there) listeners.delete(address);
      };
    },
  };
}

/** The last card of each chat that wants an answer. Lines of ours leave it the last; an answer, or its own change, does not. */
function createCards() {
  const cards = new Map<string, ShownCard>();
  return {
    of: (address: string): ShownCard | undefined => cards.get(address),
    shown(address: string, card: ShownCard, asks: boolean): void {
      const last = cards.get(address)?.event.id;
      if (asks) {
        // Ids grow with time: a change of an older card leaves the last one the last.
        if (last === undefined || card.event.id >= last) cards.set(address, card);
      } else if (card.event.id === last || card.event.answer !== "") cards.delete(address);
    },
  };
}

function createPlatform(
  clock: Clock,
  { isThere, tell }: ReturnType<typeof createAudience>,
  cards: ReturnType<typeof createCards>,
): ChatPlatform {
  return {
    name: terminalPlatform,
    render: (saying) => [{ body: JSON.stringify(bodyOf(saying)) }],
    simpler: () => undefined,
    manners: () => ({ live: "draft", liveEveryMs: 80, burst: 1000, everyMs: 0 }),
    place({ address }) {
      if (!isThere(address)) return Promise.resolve({ ok: false, why: absent });
      return Promise.resolve({ ok: true, messageId: newId(clock.now()) });
    },
    edit({ address }, messageId, part) {
      if (!isThere(address)) return Promise.resolve({ ok: false, why: absent });
      const { answer, notes, buttons, asks } = readBody(part.body);
      const choices = buttons.map(({ label }) => label);
      const event = { type: "message", id: messageId, answer, notes, choices } as const;
      cards.shown(address, { event, buttons }, asks);
      void tell(address, event);
      return Promise.resolve({ ok: true, messageId });
    },
    draft: ({ address }, taskId, text) => tell(address, { type: "draft", taskId, text }),
    beside: (address, line) => tell(address, { type: "note", line }),
    typing: (address) => tell(address, { type: "typing" }),
    receipt: (address) => tell(address, { type: "queued" }),
    whisper: (address, line) => tell(address, { type: "note", line }),
    async acknowledge(pressId, line) {
      if (line !== "") await tell(pressId.split(" ", 1)[0] ?? "", { type: "note", line });
    },
  };
}

/** The terminal as a platform. Its messages are shown once and do not stay. */
export function createTerminal(clock: Clock): Terminal {
  const audience = createAudience();
  const cards = createCards();
  return {
    platform: createPlatform(clock, audience, cards),
    attend(address, listener) {
      const card = cards.of(address);
      const leave = audience.add(address, listener);
      if (card !== undefined) listener(card.event);
      return leave;
    },
    isAsking: (address) => cards.of(address) !== undefined,
    read(address, words, id) {
      const place: Place = { platform: terminalPlatform, address, kind: "direct" };
      const card = cards.of(address);
      const button = /^\d{1,3}$/.test(words) ? card?.buttons[Number(words) - 1]?.id : undefined;
      if (card !== undefined && button !== undefined) {
        const messageId = card.event.id;
        const pressId = `${address} ${id}`;
        return { type: "press", place, from: sender, pressId, messageId, button };
      }
      const said = { type: "message", place, from: sender, messageId: id, text: words } as const;
      return { ...said, replyTo: null, addressed: true, forwarded: false, attachments: [] };
    },
  };
}
