import type { IncomingMessage, ServerResponse } from "node:http";

import { z } from "zod";

import { openServer } from "../open-server.ts";
import { bodyOf } from "../play.ts";

/** A message that a person sees, with every text it has had. */
export interface Seen {
  readonly chatId: number;
  readonly messageId: number;
  readonly replyTo: number | undefined;
  readonly texts: string[];
}

/** What goes wrong with the next call of a method. */
export interface Fault {
  readonly method: string;
  /** `lost`: taken, but its response never arrives. `slowDown`: refused with 429. `broken`: refused with 502. */
  readonly kind: "lost" | "slowDown" | "broken";
}

/** A point of a call: its body was read; what it does is done; its response is written. */
export type Stage = "arrived" | "taken" | "answered";

/** Hears of a call at each point, before anything else happens. */
export type CallHook = (
  stage: Stage,
  method: string,
  input: Readonly<Record<string, unknown>>,
) => void;

/** Who writes to the bot; private chats have the person's number. */
export interface Writing {
  readonly from: number;
  readonly text: string;
  /** A group's number (below zero); absent is the private chat. */
  readonly group?: number;
  readonly replyTo?: number;
  readonly forwarded?: boolean;
}

/** A Telegram on loopback, as strict as the parts of its Bot API that we use. */
export interface FakeTelegram {
  readonly url: string;
  readonly token: string;
  /** A person writes; gives the message's number. */
  write(writing: Writing): number;
  /** A person changes a message. */
  change(writing: Writing & { readonly messageId: number }): void;
  /** The same updates come again, as after a lost confirmation. */
  repeat(): void;
  fail(fault: Fault): void;
  /** Hears of every point of every call; a second one takes the place of the first. */
  onCall(hook: CallHook): void;
  /** Hears of every text that is to be seen, when it is. */
  watch(listener: (message: Seen) => void): void;
  /** The bot's messages of a chat, oldest first, as they are now. */
  seen(chatId: number): readonly Seen[];
  /** Calls of a method so far. */
  calls(method: string): readonly unknown[];
  /** What the bot did that the real one would refuse. */
  readonly violations: readonly string[];
  close(): void;
}

const botId = 4242;
const id = z.number().int();
const topic = { message_thread_id: id.optional() };
const text = z.string().min(1).max(4096);
const reply = z.strictObject({ message_id: id, allow_sending_without_reply: z.literal(true) });
const preview = z.strictObject({ is_disabled: z.literal(true) });

const methods = {
  getMe: z.strictObject({}),
  getUpdates: z.strictObject({
    offset: id,
    timeout: id,
    limit: id.optional(),
    allowed_updates: z.array(z.string()),
  }),
  sendMessage: z.strictObject({
    chat_id: id,
    text,
    ...topic,
    reply_parameters: reply.optional(),
    link_preview_options: preview.optional(),
  }),
  editMessageText: z.strictObject({
    chat_id: id,
    message_id: id,
    text,
    link_preview_options: preview,
  }),
  sendMessageDraft: z.strictObject({
    chat_id: id.positive(),
    draft_id: id.positive(),
    text: z.string().max(4096),
    ...topic,
  }),
  sendChatAction: z.strictObject({ chat_id: id, action: z.literal("typing"), ...topic }),
  setMessageReaction: z.strictObject({
    chat_id: id,
    message_id: id,
    reaction: z.array(z.unknown()),
  }),
  answerCallbackQuery: z.strictObject({ callback_query_id: z.string(), text: z.string().max(200) }),
} as const;

type Method = keyof typeof methods;

class Refusal extends Error {
  readonly code: number;
  readonly parameters: object | undefined;

  constructor(code: number, description: string, parameters?: object) {
    super(description);
    this.code = code;
    this.parameters = parameters;
  }
}

const deaf: CallHook = () => {};

function createState() {
  return {
    updates: new Array<{ update_id: number }>(),
    gone: new Array<{ update_id: number }>(),
    seen: new Map<number, Seen[]>(),
    calls: new Array<{ method: string; input: unknown }>(),
    violations: new Array<string>(),
    faults: new Array<Fault>(),
    nextMessage: 1,
    nextUpdate: 1000,
    wake: () => {},
    tell: (_message: Seen) => {},
    hook: deaf,
  };
}

type State = ReturnType<typeof createState>;

function chatOf(chatId: number) {
  return chatId > 0
    ? { id: chatId, type: "private", first_name: "Ann" }
    : { id: chatId, type: "supergroup", title: "Group" };
}

function send(state: State, input: z.infer<(typeof methods)["sendMessage"]>) {
  const messageId = state.nextMessage++;
  const messages = state.seen.get(input.chat_id) ?? [];
  const replyTo = input.reply_parameters?.message_id;
  messages.push({ chatId: input.chat_id, messageId, replyTo, texts: [input.text] });
  state.seen.set(input.chat_id, messages);
  return { message_id: messageId, date: 1, chat: chatOf(input.chat_id), text: input.text };
}

function edit(state: State, input: z.infer<(typeof methods)["editMessageText"]>) {
  const messages = state.seen.get(input.chat_id) ?? [];
  const message = messages.find(({ messageId }) => messageId === input.message_id);
  if (message === undefined) throw new Refusal(400, "Bad Request: message to edit not found");
  if (message.texts.at(-1) === input.text) {
    const unmodified = "specified new message content and reply markup are exactly the same";
    throw new Refusal(400, `Bad Request: message is not modified: ${unmodified}`);
  }
  message.texts.push(input.text);
  state.tell(message);
  return { message_id: input.message_id, date: 1, chat: chatOf(input.chat_id), text: input.text };
}

/** Holds a poll until there is something, or its client goes away. Asking with an offset confirms what lies before it. */
async function updates(
  state: State,
  { offset }: { readonly offset: number },
  response: ServerResponse,
): Promise<unknown> {
  const before = state.updates.filter((update) => update.update_id < offset);
  state.gone = [...state.gone, ...before].slice(-200);
  state.updates = state.updates.filter((update) => update.update_id >= offset);
  if (state.updates.length === 0) {
    await new Promise<void>((resolve) => {
      state.wake = resolve;
      response.on("close", resolve);
    });
  }
  return state.updates.slice(0, 100);
}

async function answer(
  state: State,
  method: Method,
  call: { input: unknown; response: ServerResponse },
) {
  if (method === "getMe") {
    return { id: botId, is_bot: true, first_name: "Heron", username: "heron_bot" };
  }
  if (method === "sendMessage") return send(state, methods.sendMessage.parse(call.input));
  if (method === "editMessageText") return edit(state, methods.editMessageText.parse(call.input));
  if (method === "getUpdates") {
    return updates(state, methods.getUpdates.parse(call.input), call.response);
  }
  return true;
}

const objectSchema = z.record(z.string(), z.unknown());

function isMethod(name: string): name is Method {
  return Object.hasOwn(methods, name);
}

/** The next fault of a method; what refuses the call is thrown. */
function takeFault({ faults }: State, name: string): Fault | undefined {
  const at = faults.findIndex(({ method }) => method === name);
  const [fault] = at === -1 ? [] : faults.splice(at, 1);
  if (fault?.kind === "slowDown") {
    throw new Refusal(429, "Too Many Requests: retry after 1", { retry_after: 1 });
  }
  if (fault?.kind === "broken") throw new Refusal(502, "Bad Gateway");
  return fault;
}

async function handle(state: State, request: IncomingMessage, response: ServerResponse) {
  const [, bot, name = ""] = (request.url ?? "").split("/");
  const input = await bodyOf(request);
  if (bot !== `bot${token}`) throw new Refusal(401, "Unauthorized");
  if (!isMethod(name)) {
    state.violations.push(`unknown method ${name}`);
    throw new Refusal(404, "Not Found");
  }
  const checked = methods[name].safeParse(input);
  if (!checked.success) {
    state.violations.push(`${name}: ${z.prettifyError(checked.error)}`);
    throw new Refusal(400, "Bad Request: strict stand-in");
  }
  state.calls.push({ method: name, input });
  const call = { method: name, input: objectSchema.parse(input), response };
  state.hook("arrived", name, call.input);
  const fault = takeFault(state, name);
  const result = await answer(state, name, call);
  state.hook("taken", name, call.input);
  if (fault?.kind === "lost") response.destroy();
  return { result, input: call.input, name };
}

const token = `${botId}:stand-in-token-of-telegram`;

function writtenBy(state: State, writing: Writing, messageId: number) {
  const { from, text: words, group, replyTo, forwarded } = writing;
  const chat = chatOf(group ?? from);
  const command = /^\/\w+(@\w+)?/.exec(words);
  const mention = /@heron_bot/.exec(words);
  const replied = (state.seen.get(chat.id) ?? []).find((seen) => seen.messageId === replyTo);
  return {
    message_id: messageId,
    date: 1,
    chat,
    from: { id: from, is_bot: false, first_name: "Ann" },
    text: words,
    entities: [
      ...(command === null ? [] : [{ type: "bot_command", offset: 0, length: command[0].length }]),
      ...(mention === null ? [] : [{ type: "mention", offset: mention.index, length: 10 }]),
    ],
    ...(replyTo === undefined
      ? {}
      : {
          reply_to_message: {
            message_id: replyTo,
            date: 1,
            chat,
            ...(replied === undefined
              ? {}
              : { from: { id: botId, is_bot: true, first_name: "Heron" } }),
          },
        }),
    ...(forwarded === true
      ? { forward_origin: { type: "hidden_user", sender_user_name: "Somebody", date: 1 } }
      : {}),
  };
}

/** Starts a stand-in. */
export async function openTelegram(): Promise<FakeTelegram> {
  const state = createState();
  const put = (update: object): void => {
    state.updates.push({ update_id: state.nextUpdate++, ...update });
    state.wake();
  };
  const server = await openServer((request, response) => {
    const reply200 = (body: unknown, code = 200): void => {
      response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    handle(state, request, response)
      .then(({ result, input, name }) => {
        if (response.destroyed) return;
        reply200({ ok: true, result });
        state.hook("answered", name, input);
      })
      .catch((error: unknown) => {
        const { code, message, parameters } =
          error instanceof Refusal ? error : new Refusal(500, String(error));
        reply200({ ok: false, error_code: code, description: message, parameters }, code);
      });
  });
  return {
    url: server.url,
    token,
    violations: state.violations,
    write(writing) {
      const messageId = state.nextMessage++;
      put({ message: writtenBy(state, writing, messageId) });
      return messageId;
    },
    change: (writing) =>
      put({ edited_message: { ...writtenBy(state, writing, writing.messageId), edit_date: 2 } }),
    repeat() {
      state.updates.unshift(...state.gone.splice(0));
      state.wake();
    },
    fail: (fault) => void state.faults.push(fault),
    onCall: (hook) => void (state.hook = hook),
    watch: (listener) => void (state.tell = listener),
    seen: (chatId) => state.seen.get(chatId) ?? [],
    calls: (method) =>
      state.calls.filter((call) => call.method === method).map(({ input }) => input),
    close: () => server.close(),
  };
}
