import type { Button, ChatPlatform, Manners, Saying } from "../../src/core/chat.ts";

/** A message that a person sees, with every text it has had. */
export interface Visible {
  readonly messageId: string;
  readonly replyTo: string | null;
  readonly texts: string[];
  buttons: readonly Button[];
}

/** A chat service in memory: one part a saying, its text and its buttons as they are. */
export interface FakePlatform extends ChatPlatform {
  /** The messages of a chat, oldest first. */
  visible(address: string): readonly Visible[];
  /** What each message of a chat says now. */
  texts(address: string): readonly string[];
  /** The id of a button that is to be seen in a chat now. */
  buttonOf(address: string, label: string): { readonly button: string; readonly messageId: string };
  /** Drafts, receipts and acknowledgements, in order. */
  readonly signs: readonly string[];
  /** What was whispered, as "address: line". */
  readonly whispers: readonly string[];
}

interface Body {
  readonly text: string;
  readonly buttons: readonly Button[];
}

function bodyOf(saying: Saying): Body {
  if (saying.type === "card") {
    const { text, buttons = [] } = saying.card;
    return { text, buttons: buttons.flat() };
  }
  const { markdown, footer, buttons = [] } = saying;
  return {
    text: footer === undefined ? markdown : `${markdown}\n\n${footer}`,
    buttons: buttons.flat(),
  };
}

function readBody(body: string): Body {
  return JSON.parse(body);
}

/** A platform of this name whose chats have these manners. */
export function createFakePlatform(name: string, manners: Manners): FakePlatform {
  const chats = new Map<string, Visible[]>();
  const signs: string[] = [];
  const whispers: string[] = [];
  const state = { next: 1000 };
  const messagesOf = (address: string): Visible[] => {
    const messages = chats.get(address) ?? [];
    chats.set(address, messages);
    return messages;
  };
  const sign = (text: string): Promise<void> => {
    signs.push(text);
    return Promise.resolve();
  };
  return {
    name,
    signs,
    whispers,
    render: (saying) => [{ body: JSON.stringify(bodyOf(saying)) }],
    simpler: () => undefined,
    manners: () => manners,
    place({ address, replyTo }) {
      const messageId = String(state.next++);
      messagesOf(address).push({ messageId, replyTo, texts: ["…"], buttons: [] });
      return Promise.resolve({ ok: true, messageId });
    },
    edit({ address }, messageId, part) {
      const message = messagesOf(address).find((one) => one.messageId === messageId);
      const reason = "there is no such message";
      if (message === undefined) {
        return Promise.resolve({ ok: false, why: { type: "missing", reason } });
      }
      const { text, buttons } = readBody(part.body);
      message.texts.push(text);
      message.buttons = buttons;
      return Promise.resolve({ ok: true, messageId });
    },
    draft: (_, __, markdown) => sign(`draft ${markdown}`),
    typing: () => sign("typing"),
    receipt: (_, messageId) => sign(`receipt ${messageId}`),
    whisper(address, line) {
      whispers.push(`${address}: ${line}`);
      return Promise.resolve();
    },
    acknowledge: (_, line) => sign(`acknowledge ${line}`),
    visible: (address) => messagesOf(address),
    texts: (address) => messagesOf(address).map(({ texts }) => texts.at(-1) ?? ""),
    buttonOf(address, label) {
      for (const { messageId, buttons } of messagesOf(address)) {
        const found = buttons.find((button) => button.label === label);
        if (found !== undefined) return { button: found.id, messageId };
      }
      throw new Error(`nobody sees a button "${label}"`);
    },
  };
}
