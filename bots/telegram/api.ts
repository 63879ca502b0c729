import { Api } from "grammy";

import type { Fetch, FetchInit } from "#core/http.ts";
import type { Secret } from "#core/secret.ts";

/** Longer than a held poll; anything else that takes this long is lost. */
const callMs = 40_000;
/** A file may be large and the line slow. */
const uploadMs = 600_000;

/** What grammY hands to its fetch; its abort signal is a polyfill, which a real fetch refuses. */
interface GrammyInit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal?: {
    readonly aborted: boolean;
    readonly addEventListener: (type: "abort", listener: () => void) => void;
  };
}

/** The platform's own signal in the place of the polyfill. */
function nativeSignal(given: GrammyInit["signal"]): AbortSignal | undefined {
  if (given === undefined) return undefined;
  const controller = new AbortController();
  if (given.aborted) controller.abort();
  else given.addEventListener("abort", () => controller.abort());
  return controller.signal;
}

function isBytes(value: unknown): value is AsyncIterable<Uint8Array> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

/** A request's body: JSON, or the stream of an upload. */
function bodyOf(given: unknown): FetchInit["body"] {
  if (given === undefined || typeof given === "string" || isBytes(given)) return given;
  throw new TypeError("grammY gave a body that is neither a text nor a stream");
}

/** The door's fetch as grammY calls it. */
function grammyFetch(fetch: Fetch, ended: AbortSignal | undefined) {
  return async (url: string | URL, init: GrammyInit): Promise<Response> => {
    const body = bodyOf(init.body);
    const given = nativeSignal(init.signal);
    const late = typeof body === "string" ? AbortSignal.timeout(callMs) : undefined;
    const signals = [ended, given, late].filter((one) => one !== undefined);
    const signal = signals.length === 0 ? undefined : AbortSignal.any(signals);
    return fetch(String(url), {
      ...(init.method === undefined ? {} : { method: init.method }),
      ...(init.headers === undefined ? {} : { headers: init.headers }),
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
  };
}

/** Where the API is, and the way to it. */
export interface ApiOptions {
  readonly root: string;
  readonly fetch: Fetch;
  /** Ends every call that is under way. */
  readonly ended?: AbortSignal;
}

/** Telegram's API through the door. A call rejects with a GrammyError that Telegram gave, or an HttpError without an answer. */
export function createApi(token: Secret, options: ApiOptions): Api {
  return new Api(token.reveal(), {
    apiRoot: options.root,
    fetch: grammyFetch(options.fetch, options.ended),
    timeoutSeconds: uploadMs / 1000,
  });
}
