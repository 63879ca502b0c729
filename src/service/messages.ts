import { type ErrorCode, errorTable } from "#core/errors.ts";
import { type HolderKind, holderKinds } from "#core/operations.ts";

/** The version of the frames themselves. Greeting, `status` and `shutdown` stay as they are in every later one. */
export const protocol = 1;

/** What the process that holds the data says of itself to whoever connects. */
export interface Hello {
  readonly protocol: number;
  readonly version: string;
  readonly pid: number;
  readonly kind: HolderKind;
}

/** A line, or a download's progress, for every person who waits for something. */
export type Said =
  | { readonly notice: string }
  | {
      readonly progress: {
        readonly name: string;
        readonly completedBytes: number;
        readonly totalBytes: number;
      };
    };

/** What a server sends, the greeting first. `bye` says that calls without an answer were not taken up. */
export type ServerFrame =
  | { readonly hello: Hello }
  | { readonly id: number; readonly event: unknown }
  | { readonly id: number; readonly done: true; readonly result: unknown }
  | {
      readonly id: number;
      readonly failure: { readonly code: ErrorCode; readonly sentence: string };
    }
  | { readonly said: Said }
  | { readonly bye: true };

function has<Key extends string>(value: unknown, key: Key): value is Record<Key, unknown> {
  return typeof value === "object" && value !== null && key in value;
}

function isCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && value in errorTable;
}

function readHello(value: unknown): Hello | undefined {
  if (!has(value, "version") || !has(value, "pid") || !has(value, "kind")) return undefined;
  const { version, pid } = value;
  const kind = holderKinds.find((known) => known === value.kind);
  if (typeof version !== "string" || typeof pid !== "number" || kind === undefined)
    return undefined;
  const theirs = has(value, "protocol") ? Number(value.protocol) : 0;
  return { protocol: theirs, version, pid, kind };
}

function readSaid(value: unknown): Said | undefined {
  if (has(value, "notice")) return { notice: String(value.notice) };
  if (!has(value, "progress") || !has(value.progress, "name")) return undefined;
  const { progress } = value;
  const bytes = (key: "completedBytes" | "totalBytes"): number =>
    has(progress, key) ? Number(progress[key]) : 0;
  const [completedBytes, totalBytes] = [bytes("completedBytes"), bytes("totalBytes")];
  return { progress: { name: String(value.progress.name), completedBytes, totalBytes } };
}

function readAnswer(value: unknown): ServerFrame | undefined {
  if (!has(value, "id") || typeof value.id !== "number") return undefined;
  const { id } = value;
  if (has(value, "event")) return { id, event: value.event };
  if (has(value, "done"))
    return { id, done: true, result: has(value, "result") ? value.result : undefined };
  if (!has(value, "failure") || !has(value.failure, "sentence")) return undefined;
  const { failure } = value;
  const code = has(failure, "code") && isCode(failure.code) ? failure.code : "bug";
  return { id, failure: { code, sentence: String(failure.sentence) } };
}

/**
 * A frame of a server; undefined for what is none. Read by hand, not with zod, which takes a quarter of the time that a command
 * beside a service needs (bench start).
 */
export function readServerFrame(value: unknown): ServerFrame | undefined {
  if (has(value, "hello")) {
    const hello = readHello(value.hello);
    return hello === undefined ? undefined : { hello };
  }
  if (has(value, "said")) {
    const said = readSaid(value.said);
    return said === undefined ? undefined : { said };
  }
  return has(value, "bye") ? { bye: true } : readAnswer(value);
}
