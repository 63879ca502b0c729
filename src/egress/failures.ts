import { AppError, reasonOf } from "#core/errors.ts";

const problems: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  ENOTFOUND: "name not found",
  EAI_AGAIN: "name lookup failed",
  EHOSTUNREACH: "no route to it",
  ENETUNREACH: "no network",
  UND_ERR_CONNECT_TIMEOUT: "connect timeout",
  UND_ERR_HEADERS_TIMEOUT: "no answer in time",
  UND_ERR_SOCKET: "connection closed",
};

function* causesOf(error: unknown): Generator<Error> {
  for (let at = error; at instanceof Error; at = at.cause) yield at;
}

/** What is wrong with a connection, in a few words. */
export function problemOf(error: unknown): string {
  for (const cause of causesOf(error)) {
    if (!("code" in cause) || typeof cause.code !== "string") continue;
    return problems[cause.code] ?? reasonOf(cause);
  }
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return reasonOf(cause);
}

/** A failed connection as one of ours; a refusal, and the signal's own reason, are passed on. */
export function unreachable(error: unknown, host: string, signal?: AbortSignal | null): unknown {
  if (signal?.aborted === true) return signal.reason;
  for (const cause of causesOf(error)) if (cause instanceof AppError) return cause;
  return new AppError("door.unreachable", { host, problem: problemOf(error) }, { cause: error });
}
