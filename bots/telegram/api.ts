import { Api } from "grammy";

import type { Fetch } from "#core/http.ts";
import type { Secret } from "#core/secret.ts";

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

/** The door's fetch as grammY calls it. */
function grammyFetch(fetch: Fetch, ended: AbortSignal | undefined) {
  return async (url: string | URL, init: GrammyInit): Promise<Response> => {
    const given = nativeSignal(init.signal);
    const signal =
      ended === undefined || given === undefined ? given : AbortSignal.any([ended, given]);
    if (init.body !== undefined && typeof init.body !== "string") {
      throw new TypeError("files are not sent yet");
    }
    return fetch(String(url), {
      ...(init.method === undefined ? {} : { method: init.method }),
      ...(init.headers === undefined ? {} : { headers: init.headers }),
      ...(init.body === undefined ? {} : { body: init.body }),
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
    // Longer than a held poll; anything else that takes this long is lost.
    timeoutSeconds: 40,
  });
}
