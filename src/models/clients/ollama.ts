import { z } from "zod";

import type { Clock } from "#core/clock.ts";
import { AppError } from "#core/errors.ts";
import type { Fetch } from "#core/http.ts";
import { newId } from "#core/ids.ts";
import type {
  Carried,
  Model,
  ModelEvent,
  ModelLimits,
  ModelRequest,
  ModelStop,
} from "#core/model.ts";
import { trustOf } from "#core/trust.ts";

import { answering } from "./answering.ts";
import { isCloudName } from "./cloud-name.ts";
import { SilenceError, watched, within } from "./deadline.ts";
import { broken, type Subject } from "./failures.ts";
import { linesOf } from "./lines.ts";
import { type Liveness, whileAlive } from "./liveness.ts";
import { refusal, remoteRefusal } from "./ollama-failures.ts";
import { createReadiness, type Readiness } from "./ollama-readiness.ts";
import { callsOf, chatBody, type ChatLine, chatLineSchema, farPlace } from "./ollama-wire.ts";
import { salvageCall } from "./salvage.ts";
import { createThinkingSplitter } from "./thinking.ts";

/** What an Ollama model is made of. */
export interface OllamaOptions {
  readonly id: string;
  /** Address of the host, without a path. */
  readonly url: string;
  readonly model: string;
  readonly limits: ModelLimits;
  /** A fetch whose receipts say what the request says of itself. */
  readonly fetchFor: (request: Carried) => Fetch;
  /** Told of an answer that came from a cloud, though its host is at home. */
  readonly passedOn: (response: Response) => void;
  readonly clock: Clock;
  /** How long the model stays loaded, as Ollama writes it; asked at each request. */
  readonly keepAlive: () => string;
  /** True at times at which it is loaded before it is asked. */
  readonly loadsAhead: () => boolean;
  /** Options of the runner, the same for every request. */
  readonly runner: Readonly<Record<string, number | boolean>>;
  readonly firstTokenMs: number;
  /** The same where the model has to be read from disk first. */
  readonly loadMs: number;
  readonly idleMs: number;
}

/** Only a cloud that was asked wants a person to sign in. */
const errorSchema = z.object({ error: z.string(), signin_url: z.string().optional() });

/** Says that an answer came from elsewhere: that is on record then, and the model is not asked again as it is. */
type LeftHome = (response: Response, where: string) => AppError;

async function failureOf(
  subject: Subject,
  response: Response,
  leftHome: LeftHome,
): Promise<AppError> {
  const text = await response.text().catch(() => "");
  const looksJson = text.startsWith("{");
  const said = looksJson ? errorSchema.safeParse(JSON.parse(text)).data : undefined;
  if (said?.signin_url !== undefined) return leftHome(response, "it wants you to sign in there");
  const sentence = said?.error;
  if (sentence === undefined && text.trim() !== "" && response.status !== 404) {
    return new AppError("model.protocol", {
      model: subject.model,
      problem: `status ${response.status} and no JSON`,
    });
  }
  return refusal(subject, response.status, sentence ?? "");
}

/** Turns the lines of an answer into events; what it returns is the stop. */
async function* readAnswer(
  lines: AsyncIterable<string>,
  { request, response }: Posted,
  { subject, leftHome }: { readonly subject: Subject; readonly leftHome: LeftHome },
): AsyncGenerator<ModelEvent, ModelStop> {
  const splitter = createThinkingSplitter();
  const prefix = newId(Date.now());
  const said = { text: "", calls: 0 };
  for await (const text of lines) {
    const line = chatLineSchema.parse(JSON.parse(text));
    if (line.error !== undefined) throw refusal(subject, 500, line.error);
    const far = farPlace(line);
    if (far !== undefined) throw leftHome(response, far);
    const { thinking = "", content = "" } = line.message ?? {};
    if (thinking !== "") yield { type: "thinking", text: thinking };
    for (const piece of splitter.push(content)) {
      if (piece.type === "text") said.text += piece.text;
      yield piece;
    }
    for (const call of callsOf(line, said.calls, prefix)) {
      said.calls += 1;
      yield { type: "toolCall", call };
    }
    if (line.done) {
      yield* splitter.end();
      return yield* endOf(line, request, said);
    }
  }
  throw new AppError("model.truncated", { model: subject.model });
}

async function* endOf(
  line: ChatLine,
  request: ModelRequest,
  said: { readonly text: string; readonly calls: number },
): AsyncGenerator<ModelEvent, ModelStop> {
  const salvaged = said.calls === 0 ? salvageCall(said.text, request.tools) : undefined;
  if (salvaged !== undefined) yield { type: "toolCall", call: salvaged };
  const { prompt_eval_count: promptTokens, eval_count: answerTokens } = line;
  const { prompt_eval_duration: promptNs } = line;
  yield {
    type: "usage",
    ...(promptTokens === undefined ? {} : { promptTokens }),
    ...(answerTokens === undefined ? {} : { answerTokens }),
    ...(promptNs === undefined ? {} : { promptMs: promptNs / 1e6 }),
  };
  if (said.calls > 0 || salvaged !== undefined) return { type: "stop", reason: "toolCalls" };
  return { type: "stop", reason: line.done_reason === "length" ? "length" : "end" };
}

/** The request as this model is told it: one that knows no tools is offered none, since it would refuse them. */
function fitRequest(
  options: OllamaOptions,
  can: readonly string[],
  request: ModelRequest,
): { readonly request: ModelRequest; readonly body: string } {
  const fitting = can.includes("tools") ? request : { ...request, tools: [] };
  const body = chatBody(fitting, {
    model: options.model,
    contextTokens: options.limits.contextTokens,
    keepAlive: options.keepAlive(),
    runner: options.runner,
    ...(can.includes("thinking") ? { think: false } : {}),
  });
  return { request: fitting, body };
}

/** A request that was sent, and its answer. */
interface Posted {
  readonly request: ModelRequest;
  readonly response: Response;
  readonly bytes: NonNullable<Response["body"]>;
}

/** Sends requests to a model's host, and learns what it cannot do. */
function createPosting(options: OllamaOptions, readiness: Readiness, leftHome: LeftHome) {
  const { url, model } = options;
  const subject: Subject = { model, host: url };

  async function once(request: ModelRequest, fetch: Fetch, signal: AbortSignal) {
    const can = await readiness.capabilities(fetch, signal);
    const asked = fitRequest(options, can, request);
    const headers = { "content-type": "application/json" };
    const init = { method: "POST", headers, body: asked.body, signal };
    return { can, request: asked.request, response: await fetch(`${url}/api/chat`, init) };
  }

  return async (request: ModelRequest, fetch: Fetch, signal: AbortSignal): Promise<Posted> => {
    let sent = await once(request, fetch, signal);
    if (!sent.response.ok) {
      const failure = await failureOf(subject, sent.response, leftHome);
      const thinks = sent.can.includes("thinking") && /thinking/i.test(failure.message);
      if (failure.code !== "model.bad-request" || !thinks) throw failure;
      readiness.cannot("thinking");
      sent = await once(request, fetch, signal);
    }
    const { response } = sent;
    if (!response.ok) throw await failureOf(subject, response, leftHome);
    if (response.body === null) throw new AppError("model.truncated", { model });
    return { request: sent.request, response, bytes: response.body };
  };
}

/** Has the host read the model from disk: a request without messages does that and no more. */
async function loadModel(
  options: OllamaOptions,
  { fetch, signal, leftHome }: { fetch: Fetch; signal: AbortSignal; leftHome: LeftHome },
): Promise<void> {
  const { url, model, limits, runner, clock, loadMs } = options;
  const body = JSON.stringify({
    model,
    messages: [],
    stream: false,
    keep_alive: options.keepAlive(),
    options: { ...runner, num_ctx: limits.contextTokens },
  });
  const headers = { "content-type": "application/json" };
  const init = { method: "POST", headers, body, signal };
  const response = await within(clock, loadMs, fetch(`${url}/api/chat`, init));
  if (!response.ok) throw await failureOf({ model, host: url }, response, leftHome);
  const far = farPlace(chatLineSchema.parse(await response.json()));
  if (far !== undefined) throw leftHome(response, far);
}

/** Milliseconds that a host may take to say what it has loaded. */
const toldMs = 3000;

/** Waits for the answer to begin; longer, and saying so, where the model is not loaded, also where that shows only later. */
async function* begun<Answer>(
  { clock, firstTokenMs, loadMs }: OllamaOptions,
  answer: Promise<Answer>,
  isLoaded: () => Promise<boolean>,
): AsyncGenerator<ModelEvent, Answer> {
  if (await isLoaded()) {
    try {
      return await within(clock, firstTokenMs, answer);
    } catch (error) {
      if (!(error instanceof SilenceError) || (await isLoaded())) throw error;
    }
  }
  yield { type: "loading" };
  return within(clock, loadMs, answer);
}

/** What was sent, for as long as its host is there: it tells its version at once, whatever it reads or loads. */
function whileThere<Answer>(
  { url, clock, fetchFor }: OllamaOptions,
  sent: Promise<Answer>,
  signal: AbortSignal,
): Promise<Answer> {
  const fetch = fetchFor({ taskId: null });
  const liveness: Liveness = {
    clock,
    async look(over) {
      const either = AbortSignal.any([over, signal]);
      await (await fetch(`${url}/api/version`, { signal: either })).body?.cancel();
    },
    gone: () =>
      new AppError("model.unavailable", { host: url, problem: "frozen, or out of reach" }),
  };
  const answer = whileAlive(liveness, sent);
  // It is waited for where its failure is told.
  answer.catch(() => undefined);
  return answer;
}

/** Has the model loaded where it is not yet; true where it was done now. Rejects with an AppError, or the signal's reason. */
async function loadAhead(
  options: OllamaOptions,
  { readiness, leftHome }: { readonly readiness: Readiness; readonly leftHome: LeftHome },
  signal: AbortSignal,
): Promise<boolean> {
  const { url, model, clock } = options;
  const fetch = options.fetchFor({ taskId: null });
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  try {
    // A frozen host says nothing for ever, and the slot that it is asked in is wanted by others.
    if (await within(clock, toldMs, readiness.isLoaded(fetch, either))) return false;
    // A model that runs elsewhere is never loaded, and would be asked there.
    await within(clock, toldMs, readiness.capabilities(fetch, either));
    await whileThere(options, loadModel(options, { fetch, signal: either, leftHome }), either);
    return true;
  } catch (error) {
    throw signal.aborted ? signal.reason : broken({ model, host: url }, error);
  } finally {
    // What a frozen host was asked would be waited for without an end.
    over.abort("over");
  }
}

/** What asking a model goes by. */
function createAsking(options: OllamaOptions) {
  const { url, model, clock } = options;
  const subject: Subject = { model, host: url };
  const leftHome: LeftHome = (response, where) => {
    options.passedOn(response);
    readiness.passedOn();
    return new AppError("model.passed-on", { model, where });
  };
  const readiness = createReadiness({
    url,
    model,
    clock,
    failureOf: (response) => failureOf(subject, response, leftHome),
  });
  return { subject, leftHome, readiness, post: createPosting(options, readiness, leftHome) };
}

/** A model of an Ollama host, over its own reader of /api/chat: the package's drops lines that it cannot parse. */
export function createOllamaModel(options: OllamaOptions): Model {
  const { id, url, model, clock, firstTokenMs, idleMs } = options;
  const { subject, leftHome, readiness, post } = createAsking(options);

  async function* work(
    request: ModelRequest,
    signal: AbortSignal,
  ): AsyncGenerator<ModelEvent, ModelStop> {
    if (isCloudName(model)) throw remoteRefusal(model);
    const fetch = options.fetchFor(request);
    const posted = whileThere(options, post(request, fetch, signal), signal);
    // A host that does not even tell that is taken for one that has it: the first token's deadline goes on.
    const isLoaded = (): Promise<boolean> =>
      within(clock, toldMs, readiness.isLoaded(fetch, signal)).catch(() => true);
    const answer = yield* begun(options, posted, isLoaded);
    const lines = watched(clock, linesOf(answer.bytes), { firstMs: firstTokenMs, idleMs });
    const stop = yield* readAnswer(lines, answer, { subject, leftHome });
    readiness.answered();
    return stop;
  }

  return {
    id,
    trust: trustOf(new URL(url).hostname),
    get limits() {
      const given = readiness.contextTokens() ?? Number.POSITIVE_INFINITY;
      const contextTokens = Math.min(options.limits.contextTokens, given);
      return { ...options.limits, contextTokens };
    },
    async load(signal) {
      if (!options.loadsAhead() || isCloudName(model)) return false;
      return loadAhead(options, { readiness, leftHome }, signal);
    },
    stream: (request, signal) =>
      answering(
        signal,
        (either) => work(request, either),
        (error) => broken(subject, error),
      ),
  };
}
