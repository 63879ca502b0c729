import { Api } from "grammy";

import type { Fetch, FetchInit } from "#core/http.ts";
import type { Secret } from "#core/secret.ts";

/** Longer than a held poll; anything else that takes this long is lost. */
const callSeconds = 40;
/** A file may be large and the line slow. */
const uploadSeconds = 600;

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

function isBytes(value: unknown): value is AsyncIterable<Uint8Array> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

/** A request's body: JSON, or the stream of an upload. */
function bodyOf(given: unknown): FetchInit["body"] {
  if (given === undefined || typeof given === "string" || isBytes(given)) return given;
  throw new TypeError("grammY gave a body that is neither a text nor a stream");
}

/** The platform's own signal in the place of the polyfill; it ends with its client too, and stays on no list of that. */
function createEnd(given: GrammyInit["signal"], ended: AbortSignal | undefined) {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  if (given?.aborted === true || ended?.aborted === true) abort();
  given?.addEventListener("abort", abort);
  ended?.addEventListener("abort", abort);
  return { signal: controller.signal, over: () => ended?.removeEventListener("abort", abort) };
}

/** The door's fetch as grammY calls it. */
function grammyFetch(fetch: Fetch, ended: AbortSignal | undefined) {
  return async (url: string | URL, init: GrammyInit): Promise<Response> => {
    const body = bodyOf(init.body);
    const end = createEnd(init.signal, ended);
    try {
      return await fetch(String(url), {
        ...(init.method === undefined ? {} : { method: init.method }),
        ...(init.headers === undefined ? {} : { headers: init.headers }),
        ...(body === undefined ? {} : { body }),
        signal: end.signal,
      });
    } finally {
      end.over();
    }
  };
}

/** Where the API is, and the way to it. */
export interface ApiOptions {
  readonly root: string;
  readonly fetch: Fetch;
  /** Ends every call that is under way. */
  readonly ended?: AbortSignal;
  /** True for files, which may take long. */
  readonly uploads?: boolean;
}

/** Telegram's API through the door. A call rejects with a GrammyError that Telegram gave, or an HttpError without an answer. */
export function createApi(token: Secret, options: ApiOptions): Api {
  return new Api(token.reveal(), {
    apiRoot: options.root,
    fetch: grammyFetch(options.fetch, options.ended),
    timeoutSeconds: options.uploads === true ? uploadSeconds : callSeconds,
  });
}
