import { z } from "zod";

import type { Clock } from "#core/clock.ts";
import { AppError, type ErrorCode, errorTable } from "#core/errors.ts";
import type {
  Model,
  ModelEvent,
  ModelLimits,
  ModelRequest,
  ModelStop,
  ToolCall,
} from "#core/model.ts";
import { estimatePrompt, estimateTokens } from "#core/model.ts";

const replySchema = z.strictObject({
  /** `{words}` in it stands for the request's own. */
  text: z.string().optional(),
  thinking: z.string().optional(),
  toolCalls: z
    .array(z.strictObject({ id: z.string().optional(), name: z.string(), input: z.unknown() }))
    .optional(),
  /** The code of a failure that ends the reply. */
  failure: z
    .custom<ErrorCode>((value) => typeof value === "string" && value in errorTable)
    .optional(),
  /** Characters of each piece of text; default all at once. */
  piece: z.int().min(1).optional(),
  /** Milliseconds before the first piece and between pieces. */
  delay: z.int().min(0).optional(),
});

const scriptSchema = z.strictObject({
  scenes: z
    .array(
      z.strictObject({
        /** The scene of requests that hold this text (case is ignored); absent is any request. */
        when: z.string().optional(),
        replies: z.array(replySchema).min(1),
      }),
    )
    .min(1),
});

/** One answer of a scripted model. */
export type ScriptedReply = z.infer<typeof replySchema>;

/** What a scripted model says: the first scene that fits the request, its replies one after the other. */
export type Script = z.infer<typeof scriptSchema>;

/** A script from its file's data; throws a ZodError that says what is wrong. */
export function parseScript(data: unknown): Script {
  return scriptSchema.parse(data);
}

const defaultLimits: ModelLimits = {
  contextTokens: 8192,
  promptBudget: 2000,
  tools: true,
  bare: false,
  maxAnswerTokens: 2048,
};

function pieces(text: string, size: number): string[] {
  return Array.from({ length: Math.ceil(text.length / size) }, (_, i) =>
    text.slice(i * size, (i + 1) * size),
  );
}

/**
 * Which reply is due is read off the request, not counted, so that a resumed task hears what it would have heard: as many replies
 * are behind it as it holds answers of the model to this request.
 */
function replyFor(
  script: Script,
  request: ModelRequest,
): { readonly reply: ScriptedReply; readonly text: string; readonly turn: number } {
  const at = request.messages.findLastIndex((message) => message.role === "user");
  const words = request.messages[at]?.text ?? "";
  const asked = words.toLowerCase();
  const turn = request.messages.slice(at).filter((message) => message.role === "assistant").length;
  const scene = script.scenes.find(({ when }) => asked.includes(when?.toLowerCase() ?? ""));
  const found = scene?.replies[turn] ?? scene?.replies.at(-1);
  const reply = found ?? { text: "There is no scene for this." };
  return { reply, text: (reply.text ?? "").replaceAll("{words}", () => words), turn };
}

function stopOf(reply: ScriptedReply, id: string): ModelStop {
  const { failure, toolCalls = [] } = reply;
  if (failure === undefined) {
    return { type: "stop", reason: toolCalls.length > 0 ? "toolCalls" : "end" };
  }
  const details = { model: id, host: id, problem: "as its script says" };
  return { type: "stop", reason: "error", failure: new AppError(failure, details).failure };
}

function callsOf(reply: ScriptedReply, turn: number): ToolCall[] {
  return (reply.toolCalls ?? []).map(({ id, name, input }, i) => {
    return { id: id ?? `call-${turn + 1}-${i + 1}`, name, input };
  });
}

function usageOf(request: ModelRequest, text: string): ModelEvent {
  return {
    type: "usage",
    promptTokens: estimatePrompt(request),
    answerTokens: estimateTokens(text),
  };
}

/** A normal model that answers from a script: for tests, demonstrations and fault campaigns. */
export function createScriptedModel(options: {
  readonly id: string;
  readonly script: Script;
  readonly clock: Clock;
  readonly limits?: ModelLimits;
}): Model {
  const { id, script, clock, limits = defaultLimits } = options;

  async function* stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    const { reply, text, turn } = replyFor(script, request);
    const { thinking, delay = 0 } = reply;
    if (thinking !== undefined) yield { type: "thinking", text: thinking };
    for (const piece of pieces(text, reply.piece ?? Math.max(1, text.length))) {
      if (delay > 0) await clock.sleep(delay, signal);
      if (signal.aborted) break;
      yield { type: "text", text: piece };
    }
    if (text === "" && delay > 0) await clock.sleep(delay, signal);
    if (signal.aborted) {
      yield { type: "stop", reason: "aborted" };
      return;
    }
    for (const call of callsOf(reply, turn)) yield { type: "toolCall", call };
    yield usageOf(request, text);
    yield stopOf(reply, id);
  }

  return { id, trust: "local", limits, stream };
}
