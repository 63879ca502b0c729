import { z } from "zod";

import { type ErrorCode, errorTable } from "#core/errors.ts";
import { holderKinds, operationInputs, type OperationName } from "#core/operations.ts";

/** The version of the frames themselves. Greeting, `status` and `shutdown` stay as they are in every later one. */
export const protocol = 1;

const callId = z.int().min(1);

const name = z.custom<OperationName>(
  (value) => typeof value === "string" && value in operationInputs,
);

/** What a client sends: a call, or the wish that one of its calls ends. */
export const clientFrameSchema = z.union([
  z.strictObject({ id: callId, call: name, input: z.unknown() }),
  z.strictObject({ id: callId, cancel: z.literal(true) }),
]);

const code = z.custom<ErrorCode>((value) => typeof value === "string" && value in errorTable);

/** What a server says of itself, first. */
const hello = z.object({
  protocol: z.int(),
  version: z.string(),
  pid: z.int(),
  kind: z.enum(holderKinds),
});

/** What the process that holds the data says to whoever connects. */
export type Hello = z.infer<typeof hello>;

const progress = z.object({ completedBytes: z.number(), totalBytes: z.number() });

/** A line, or a download's progress, for every person who waits for something. */
const said = z.union([
  z.object({ notice: z.string() }),
  z.object({ progress: z.object({ name: z.string(), ...progress.shape }) }),
]);

/** What is said to every person who waits. */
export type Said = z.infer<typeof said>;

/** What a server sends. `bye` says that calls without an answer were not taken up. */
export const serverFrameSchema = z.union([
  z.object({ hello }),
  z.object({ id: callId, event: z.unknown() }),
  z.object({ id: callId, done: z.literal(true), result: z.unknown() }),
  z.object({ id: callId, failure: z.object({ code, sentence: z.string() }) }),
  z.object({ said }),
  z.object({ bye: z.literal(true) }),
]);

/** A frame of a server. */
export type ServerFrame = z.infer<typeof serverFrameSchema>;
