import { z } from "zod";

import { type ErrorCode, errorTable } from "#core/errors.ts";

const callSchema = z.object({ id: z.string(), name: z.string(), input: z.unknown() });

const messageSchema = z.discriminatedUnion("role", [
  z.object({ role: z.literal("system"), text: z.string() }),
  z.object({ role: z.literal("user"), text: z.string() }),
  z.object({
    role: z.literal("assistant"),
    text: z.string(),
    toolCalls: z.array(callSchema).optional(),
  }),
  z.object({ role: z.literal("tool"), callId: z.string(), name: z.string(), text: z.string() }),
]);

const jsonSchema = z.record(z.string(), z.unknown());

const requestSchema = z.object({
  messages: z.array(messageSchema),
  tools: z.array(z.object({ name: z.string(), description: z.string(), schema: jsonSchema })),
  answerSchema: jsonSchema.optional(),
  maxTokens: z.int(),
  temperature: z.number().optional(),
});

/** What the program asks of the engine's process. */
export const orderSchema = z.discriminatedUnion("do", [
  z.object({ do: z.literal("load"), file: z.string(), contextTokens: z.int(), threads: z.int() }),
  z.object({ do: z.literal("answer"), id: z.int(), request: requestSchema }),
  z.object({ do: z.literal("stop"), id: z.int() }),
  z.object({ do: z.literal("count"), id: z.int(), texts: z.array(z.string()) }),
]);

/** An order as the engine's process reads it. */
export type Order = z.infer<typeof orderSchema>;

/** A request as the engine's process reads it. */
export type EngineRequest = z.infer<typeof requestSchema>;

/** What the engine's process says. Everything about a request has its id; `end`, `failed` and `counted` are the last of it. */
export const reportSchema = z.discriminatedUnion("say", [
  z.object({ say: z.literal("ready") }),
  z.object({ say: z.literal("text"), id: z.int(), text: z.string() }),
  z.object({ say: z.literal("thinking"), id: z.int(), text: z.string() }),
  z.object({ say: z.literal("call"), id: z.int(), name: z.string(), input: z.unknown() }),
  z.object({
    say: z.literal("end"),
    id: z.int(),
    reason: z.enum(["end", "toolCalls", "length", "aborted"]),
    promptTokens: z.int(),
    cachedTokens: z.int(),
    answerTokens: z.int(),
  }),
  z.object({ say: z.literal("counted"), id: z.int(), tokens: z.array(z.int()) }),
  z.object({
    say: z.literal("failed"),
    /** Absent when loading failed. */
    id: z.int().optional(),
    code: z.custom<ErrorCode>((value) => typeof value === "string" && value in errorTable),
    problem: z.string(),
  }),
]);

/** A report as the program reads it. */
export type Report = z.infer<typeof reportSchema>;
