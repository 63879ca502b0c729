import type { IncomingMessage, ServerResponse } from "node:http";

import { type Clock, systemClock } from "../../../src/core/clock.ts";
import { openServer } from "../open-server.ts";
import { watchGone } from "../play.ts";

import { type Body, readBody } from "./body.ts";
import { type After, Broken, createFaults, type Fault, type Faults } from "./faults.ts";
import { createHosts, type Hosts } from "./groups.ts";
import { botMethods } from "./methods/bot.ts";
import type { Handler } from "./methods/context.ts";
import { draftMethods } from "./methods/drafts.ts";
import { download, fileMethods } from "./methods/files.ts";
import { messageMethods } from "./methods/messages.ts";
import { topicMethods } from "./methods/topics.ts";
import { createWriters, type Writers } from "./person.ts";
import { bad, Refusal } from "./refusal.ts";
import { type Misfit, type MethodSchema, readSchema } from "./schema.ts";
import { createOracle, type Oracle } from "./tdlib.ts";
import { createUpdates, type Updates } from "./updates.ts";
import { bot, type Chat, createWorld, type Draft, type Seen, type World } from "./world.ts";

/** A point of a call: its body was read; what it does is done; its response is written. */
export type Stage = "arrived" | "taken" | "answered";

/** Hears of a call at each point, before anything else happens. */
export type CallHook = (
  stage: Stage,
  method: string,
  input: Readonly<Record<string, unknown>>,
) => void;

/** What may be chosen of a stand-in. */
export interface TelegramOptions {
  readonly clock?: Clock;
  readonly token?: string;
  /** Private chats with topics; on by default. */
  readonly topics?: boolean;
  /** The bot hears in groups only what is meant for it; off by default. */
  readonly privacy?: boolean;
  readonly onCall?: CallHook;
}

/** A Telegram on loopback, as strict as the real one is, and stricter about what our bot must never send. */
export interface FakeTelegram extends Writers, Hosts {
  readonly url: string;
  readonly token: string;
  /** The same updates come again, as after a lost confirmation. */
  repeat(): void;
  /** The next updates of different chats come in another order. */
  shuffle(random: () => number): void;
  /** The next update has this number, as after a week of silence. */
  jump(updateId: number): void;
  fail(fault: Fault): void;
  /** Faults that wait are forgotten. */
  mend(): void;
  /** From now on the token is refused, or taken again. */
  refuseToken(refused: boolean): void;
  /** Hears of every text that is to be seen, when it is. */
  watch(listener: (message: Seen) => void): void;
  /** Hears of every point of every call; a second one takes the place of the first. */
  onCall(hook: CallHook): void;
  /** The bot's messages of a chat, oldest first, as they are now. */
  seen(chatId: number): readonly Seen[];
  /** All that was ever in a chat, of whomever, taken away or not. */
  all(chatId: number): readonly Seen[];
  /** The drafts that a chat has shown, oldest first. */
  drafts(chatId: number): readonly Draft[];
  /** Calls of a method so far, refused ones too. */
  calls(method: string): readonly unknown[];
  /** How many updates wait to be confirmed. */
  waiting(): number;
  /** What the bot did that it must never do. */
  readonly violations: readonly string[];
  readonly world: World;
  close(): void;
}

interface Parts {
  readonly world: World;
  readonly updates: Updates;
  readonly faults: Faults;
  readonly oracle: () => Promise<Oracle>;
  readonly schema: ReadonlyMap<string, MethodSchema>;
  readonly handlers: ReadonlyMap<string, Handler>;
  readonly calls: Map<string, unknown[]>;
  readonly state: { token: string; refused: boolean; hook: CallHook };
}

const longWords: Readonly<Record<string, string>> = {
  text: "message is too long",
  caption: "message caption is too long",
  callback_data: "BUTTON_DATA_INVALID",
};

/** The words of Telegram for an input that does not fit, as far as it has any. */
function misfitWords(method: string, { kind, at }: Misfit, input: Body["input"]): string {
  const name = at.split(".").at(-1) ?? at;
  if (at === "chat_id" && kind === "missing") return "chat_id is empty";
  const isEmpty = at === "text" && (kind === "missing" || input["text"] === "");
  if (isEmpty && method !== "answerCallbackQuery") return "message text is empty";
  if (kind === "limit") return longWords[name] ?? `${at} is too long or too short`;
  if (kind === "unknown") return `the strict stand-in knows no parameter ${at}`;
  return kind === "missing" ? `${at} is empty` : `${at} has a wrong type`;
}

function checkInput({ schema, world }: Parts, method: string, { input }: Body): void {
  const misfit = schema.get(method)?.check(input);
  if (misfit === undefined) return;
  world.violations.push(`${method}: ${misfit.kind} ${misfit.at}`);
  throw bad(misfitWords(method, misfit, input));
}

/** Takes a call; gives what is to be answered, and what goes wrong on the way back. */
async function take(parts: Parts, method: string, call: { body: Body; gone: AbortSignal }) {
  const { world, updates, oracle, schema, handlers, calls, state } = parts;
  const { input, uploads } = call.body;
  const known = calls.get(method) ?? [];
  if (known.push(input) === 1) calls.set(method, known);
  state.hook("arrived", method, input);
  checkInput(parts, method, call.body);
  const after = await parts.faults.before(method, input);
  const [handler, shape] = [handlers.get(method), schema.get(method)];
  if (handler === undefined || shape === undefined) {
    world.violations.push(`the stand-in does not have ${method} yet`);
    throw new Refusal(501, `Not Implemented: this stand-in does not have ${method}`);
  }
  const context = { world, updates, oracle, uploads, gone: call.gone };
  const result = await handler.handle(context, input, shape);
  state.hook("taken", method, input);
  return { result, after };
}

function write(response: ServerResponse, code: number, body: string | Uint8Array): void {
  const type = typeof body === "string" ? "application/json" : "application/octet-stream";
  response.writeHead(code, { "content-type": type }).end(body);
}

/** The words of an answer, or of a refusal. */
function refusalOf(error: unknown): { readonly code: number; readonly text: string } {
  const isOurs = error instanceof Refusal;
  const code = isOurs ? error.code : 500;
  const description = isOurs ? error.message : `Internal Server Error: ${String(error)}`;
  const parameters = isOurs ? error.parameters : undefined;
  return { code, text: JSON.stringify({ ok: false, error_code: code, description, parameters }) };
}

async function answer(
  parts: Parts,
  method: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<After> {
  const { schema, state, world } = parts;
  if (state.refused) throw new Refusal(401, "Unauthorized");
  const shape = schema.get(method);
  if (shape === undefined) {
    world.violations.push(`unknown method ${method}`);
    throw new Refusal(404, "Not Found: method not found");
  }
  const gone = new AbortController();
  watchGone(response, () => gone.abort());
  const body = await readBody(request, shape);
  const { result, after } = await take(parts, method, { body, gone: gone.signal });
  if (after === "lost") response.destroy();
  if (after === undefined && !response.destroyed) {
    write(response, 200, JSON.stringify({ ok: true, result }));
    state.hook("answered", method, body.input);
  }
  return after;
}

/** Gives a file out; for faults and hooks this is the method `download`. */
async function give({ world, faults, state }: Parts, path: string, response: ServerResponse) {
  state.hook("arrived", "download", { path });
  const after = await faults.before("download", { path });
  const bytes = download(world, path);
  if (bytes === undefined) throw new Refusal(404, "Not Found");
  if (after === "silent") return;
  if (after === "lost") {
    response.writeHead(200, { "content-length": bytes.length });
    response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
    return;
  }
  write(response, 200, bytes);
  state.hook("answered", "download", { path });
}

function handle(parts: Parts, request: IncomingMessage, response: ServerResponse): void {
  const { state } = parts;
  const [, head = "", second = "", ...rest] = (request.url ?? "").split("/");
  const fail = (error: unknown): void => {
    if (error instanceof Broken || response.destroyed) {
      response.destroy();
      return;
    }
    const { code, text } = refusalOf(error);
    write(response, code, text);
  };
  if (head === "file" && second === `bot${state.token}` && !state.refused) {
    give(parts, rest.join("/"), response).catch(fail);
    return;
  }
  if (head !== `bot${state.token}`) {
    fail(new Refusal(401, "Unauthorized"));
    return;
  }
  answer(parts, second, request, response).catch(fail);
}

function createParts({ clock = systemClock, ...options }: TelegramOptions): Parts {
  const updates = createUpdates(clock);
  const settings = { topics: options.topics ?? true, privacy: options.privacy ?? false };
  const all = [...botMethods, ...messageMethods, ...draftMethods, ...fileMethods, ...topicMethods];
  return {
    world: createWorld(clock, settings, (update) => updates.put(update)),
    updates,
    faults: createFaults(clock),
    oracle: createOracle(),
    schema: readSchema(),
    handlers: new Map(all.map((handler) => [handler.method, handler])),
    calls: new Map(),
    state: {
      token: options.token ?? `${bot.id}:stand-in-token-of-telegram`,
      refused: false,
      hook: options.onCall ?? (() => {}),
    },
  };
}

function messagesOf({ chats }: World, chatId: number): readonly Seen[] {
  return [...(chats.get(chatId)?.messages.values() ?? [])];
}

const isVisible = ({ by, gone, service }: Seen): boolean =>
  by === bot.id && !gone && service === undefined;

/** Starts a stand-in. */
export async function openTelegram(options: TelegramOptions = {}): Promise<FakeTelegram> {
  const parts = createParts(options);
  const { world, updates, faults, calls, state } = parts;
  const server = await openServer((request, response) => handle(parts, request, response));
  return {
    url: server.url,
    token: state.token,
    violations: world.violations,
    world,
    ...createWriters(world),
    ...createHosts(world),
    repeat: () => updates.repeat(),
    shuffle: (random) => updates.shuffle(random),
    jump: (updateId) => updates.jump(updateId),
    fail: (fault) => faults.add(fault),
    mend: () => faults.clear(),
    refuseToken: (refused) => void (state.refused = refused),
    watch: (listener) => void world.listeners.add(listener),
    onCall: (hook) => void (state.hook = hook),
    seen: (chatId) => messagesOf(world, chatId).filter(isVisible),
    all: (chatId) => messagesOf(world, chatId),
    drafts: (chatId) => chatDrafts(world.chats.get(chatId)),
    calls: (method) => calls.get(method) ?? [],
    waiting: () => updates.waiting(),
    close: () => server.close(),
  };
}

function chatDrafts(chat: Chat | undefined): readonly Draft[] {
  return chat?.drafts ?? [];
}
