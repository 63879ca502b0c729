import { chunk, countsOf, dataEvent, done } from "./openai-words.ts";
import { cut, type Reply, reset, type Step } from "./perform.ts";
import type { Call, Script } from "./server.ts";

/** How long the faults of the benchmark last, in milliseconds. */
export interface Profile {
  readonly wordMs: number;
  /** S07: until the first word. */
  readonly firstWordMs: number;
  /** S09: silence in the middle. */
  readonly stallMs: number;
  /** S06: silence from the start. */
  readonly silenceMs: number;
  /** S15: how long the primary fails, and the requests in that time and after. */
  readonly outageMs: number;
  readonly requests: number;
  readonly everyMs: number;
}

/** The benchmark's published timings (methodology 0.1). */
export const fullProfile: Profile = {
  wordMs: 15,
  firstWordMs: 20_000,
  stallMs: 30_000,
  silenceMs: 120_000,
  outageMs: 60_000,
  requests: 20,
  everyMs: 4000,
};

/** Its short timings, for development. */
export const fastProfile: Profile = {
  wordMs: 5,
  firstWordMs: 3000,
  stallMs: 4000,
  silenceMs: 15_000,
  outageMs: 6000,
  requests: 10,
  everyMs: 1200,
};

const text = `On a still morning the harbour wakes before the sun does. Small boats knock against the
wooden pier while gulls argue over what the night has left behind. A woman with a red scarf counts
her nets, ties three knots and looks once towards the grey horizon. Nobody hurries here, since the tide
alone decides when anything begins or ends.`;

/** The sixty words of every healthy answer. */
const sixtyWords: readonly string[] = text.split(/\s+/);

/** The healthy answer. */
export const sixtyWordAnswer = sixtyWords.join(" ");

function spoken(at: number): string {
  return chunk({ content: at === 0 ? (sixtyWords[0] ?? "") : ` ${sixtyWords[at] ?? ""}` });
}

/** Words of the answer from one to before another, at the profile's pace. */
function* words({ wordMs }: Profile, from: number, to: number): Generator<Step> {
  for (let at = from; at < to; at += 1) {
    yield spoken(at);
    yield wordMs;
  }
}

function* ending({ body }: Call): Generator<Step> {
  yield chunk({}, "stop");
  const { stream_options: asked } = body;
  if (JSON.stringify(asked ?? {}).includes('"include_usage":true')) {
    const usage = countsOf({ promptTokens: 20, answerTokens: sixtyWords.length });
    yield dataEvent({ id: "c", choices: [], usage });
  }
}

/** How many words the request's last message has said already, where it is the beginning of the answer. */
function prefilled({ lastRole, body }: Call): number {
  const said = body.messages.at(-1)?.["content"];
  if (lastRole !== "assistant" || typeof said !== "string") return 0;
  return sixtyWordAnswer.startsWith(said.trim()) ? said.trim().split(/\s+/).length : 0;
}

function healthy(profile: Profile, call: Call): Reply {
  function* steps(): Generator<Step> {
    yield "";
    yield* words(profile, prefilled(call), sixtyWords.length);
    yield* ending(call);
    yield done;
  }
  return { steps: steps() };
}

function error(status: number, code: string, more: Readonly<Record<string, string>> = {}): Reply {
  const body = {
    error: { message: `The request failed: ${code}.`, type: code, param: null, code },
  };
  return { status, headers: more, steps: [JSON.stringify(body)] };
}

/** A stream of the profile that goes wrong: what comes before it, and how it ends. */
function stream(profile: Profile, from: readonly Step[], to: number, then: readonly Step[]): Reply {
  function* steps(): Generator<Step> {
    yield "";
    yield* from;
    yield* words(profile, 0, to);
    yield* then;
  }
  return { steps: steps() };
}

function malformed(profile: Profile, call: Call): Reply {
  const rest = [...words(profile, 10, sixtyWords.length), ...ending(call), done];
  return stream(profile, [], 10, ['data: {"choices":[{"delta":{"content":\n\n', ...rest]);
}

type Fault = (profile: Profile, call: Call) => Reply;

const once =
  (reply: Reply): Fault =>
  (profile, call) =>
    call.attempt === 1 ? reply : healthy(profile, call);

const all = sixtyWords.length;

const faults: Readonly<Record<string, Fault>> = {
  s01: once(error(429, "rate_limit_exceeded", { "retry-after": "2" })),
  s02: () => error(429, "rate_limit_exceeded"),
  s03: once(error(500, "server_error")),
  s04: () => error(503, "overloaded"),
  s05: once({ steps: [reset] }),
  s06: ({ silenceMs }) => ({ steps: [silenceMs, cut] }),
  s07: (profile, call) => stream(profile, [profile.firstWordMs], all, [...ending(call), done]),
  s08: (profile) => stream(profile, [], 40, [cut]),
  s09: (profile) => stream(profile, [], 20, [profile.stallMs, cut]),
  s10: malformed,
  s11: (profile, call) => stream(profile, [], all, [...ending(call)]),
  s12: () => error(400, "context_length_exceeded"),
  s13: () => error(400, "content_policy_violation"),
  s14: (profile) => stream(profile, [], 40, [cut]),
  s15: (profile, call) =>
    call.at < profile.outageMs ? error(503, "overloaded") : healthy(profile, call),
  s16: () => error(503, "overloaded"),
};

/**
 * What the benchmark's server answers, by the last part of the model's name: `fb-sNN-...` plays a fault, `fb-ok` answers, and
 * `fb-ok-noprefill` answers whoever does not begin its answer for it.
 */
export function failoverScript(profile: Profile): Script {
  return (call) => {
    const name = call.model.split("/").at(-1) ?? "";
    if (name === "fb-ok-noprefill" && call.lastRole === "assistant")
      return error(400, "invalid_prefill");
    const id = /^fb-(s\d\d)-/.exec(name)?.[1];
    const fault = id === undefined ? undefined : faults[id];
    if (fault !== undefined) return fault(profile, call);
    return name.startsWith("fb-ok") ? healthy(profile, call) : error(404, "model_not_found");
  };
}
