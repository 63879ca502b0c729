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

function isBytes(value: unknown): value is AsyncIterable<Uint8Array> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

/** A request's body: JSON, or the stream of an upload. */
function bodyOf(given: unknown): FetchInit["body"] {
  if (given === undefined || typeof given === "string" || isBytes(given)) return given;
  throw new TypeError("grammY gave a body that is neither a text nor a stream");
}

/** What ends a call: grammY, the end of its client, or its time. Nothing of it stays when the call is over. */
function createEnd(given: GrammyInit["signal"], ended: AbortSignal | undefined, longestMs: number) {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const timer = setTimeout(abort, longestMs);
  if (given?.aborted === true || ended?.aborted === true) abort();
  given?.addEventListener("abort", abort);
  ended?.addEventListener("abort", abort);
  return {
    signal: controller.signal,
    over(): void {
      clearTimeout(timer);
      ended?.removeEventListener("abort", abort);
    },
  };
}

/** The door's fetch as grammY calls it; an answer is given when it is whole. */
function grammyFetch(fetch: Fetch, ended: AbortSignal | undefined) {
  return async (url: string | URL, init: GrammyInit): Promise<Response> => {
    const body = bodyOf(init.body);
    const end = createEnd(init.signal, ended, typeof body === "string" ? callMs : uploadMs);
    try {
      const response = await fetch(String(url), {
        ...(init.method === undefined ? {} : { method: init.method }),
        ...(init.headers === undefined ? {} : { headers: init.headers }),
        ...(body === undefined ? {} : { body }),
        signal: end.signal,
      });
      return new Response(await response.text(), { status: response.status });
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
}

/** Telegram's API through the door. A call rejects with a GrammyError that Telegram gave, or an HttpError without an answer. */
export function createApi(token: Secret, options: ApiOptions): Api {
  return new Api(token.reveal(), {
    apiRoot: options.root,
    fetch: grammyFetch(options.fetch, options.ended),
    timeoutSeconds: uploadMs / 1000,
  });
}
