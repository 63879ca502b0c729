import type { Dispatcher } from "undici";

import type { Clock } from "#core/clock.ts";
import { AppError, reasonOf } from "#core/errors.ts";
import type { Door, DoorRule, DoorUse, Fetch, FetchInit, Receipt } from "#core/http.ts";
import { newId } from "#core/ids.ts";
import type { Trust } from "#core/trust.ts";

import { type Count, createMeter, metered, type Watch } from "./meter.ts";
import { checkRules, trustFor } from "./rules.ts";

/** What the door works with. */
export interface DoorOptions {
  readonly clock: Clock;
  /** Stores a receipt; called when a request begins and again when it has ended. */
  readonly record: (receipt: Receipt) => Promise<void>;
  /** Told of a receipt that could not be stored; a request to the cloud is then not made, any other goes on. */
  readonly onUnrecorded: (error: unknown) => void;
  readonly rules?: readonly DoorRule[];
}

const redirectLimit = 5;
const defaultConnectMs = 5000;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

const problems: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  ENOTFOUND: "name not found",
  EAI_AGAIN: "name lookup failed",
  EHOSTUNREACH: "no route to it",
  ENETUNREACH: "no network",
  UND_ERR_CONNECT_TIMEOUT: "connect timeout",
  UND_ERR_SOCKET: "connection closed",
};

function codeIn(error: unknown): string {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string") return at.code;
  }
  return "";
}

/** A failed connection as one of ours; the signal's own reason is passed on. */
function unreachable(
  error: unknown,
  host: string,
  signal: AbortSignal | null | undefined,
): unknown {
  if (signal?.aborted === true) return signal.reason;
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const problem = problems[codeIn(error)] ?? reasonOf(cause);
  return new AppError("door.unreachable", { host, problem }, { cause: error });
}

/** No deadline of undici's own: a model may think for long, and callers have theirs. HTTP/1 only: its bytes can be counted. */
const plainHttp = { headersTimeout: 0, bodyTimeout: 0, allowH2: false } as const;

/** undici, loaded at the first request, since it is large and most commands send none. */
async function loadUndici() {
  const { Agent, fetch } = await import("undici");
  const agents = new Map<number | AbortSignal, Dispatcher>();
  const meter = createMeter();

  /** Ends an agent's connections with the signal that they are kept by. */
  function endWith(signal: AbortSignal, agent: Dispatcher): void {
    const end = (): void => {
      agents.delete(signal);
      void agent.destroy();
    };
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  }

  return {
    fetch,
    meter,
    agentFor: ({ connectMs = defaultConnectMs, ownUntil }: DoorUse): Dispatcher => {
      const key = ownUntil ?? connectMs;
      const known = agents.get(key);
      if (known !== undefined) return known;
      const made = new Agent({ ...plainHttp, connect: { timeout: connectMs } });
      agents.set(key, made);
      if (ownUntil !== undefined) endWith(ownUntil, made);
      return made;
    },
    async close(): Promise<void> {
      await Promise.all([...agents.values()].map((agent) => agent.destroy()));
      meter.close();
    },
  };
}

type Undici = Awaited<ReturnType<typeof loadUndici>>;

/** Writes a request's receipt when it begins and when it has ended; `settled` waits for those being written. */
function createRecorder({ clock, record, onUnrecorded }: DoorOptions) {
  const writing = new Set<Promise<void>>();

  function put(receipt: Receipt): Promise<void> {
    const written = record(receipt);
    const reported = written.catch(onUnrecorded).finally(() => writing.delete(reported));
    writing.add(reported);
    return written;
  }

  async function begin(use: DoorUse, url: URL, trust: Trust): Promise<Watch> {
    const at = clock.now();
    const count: Count = { headBytesOut: 0, bodyBytesOut: 0, bytesIn: 0, status: null };
    const { purpose, taskId } = use;
    const head = { id: newId(at), taskId, purpose, host: url.host, trust, at };
    const begun = put({ ...head, ...count });
    // What leaves the home network is on record before its first byte, or does not leave.
    if (trust === "cloud") await begun;
    return { count, ended: () => void put({ ...head, ...count }) };
  }

  return {
    begin,
    async settled(): Promise<void> {
      while (writing.size > 0) await Promise.all(writing);
    },
  };
}

/** Headers that may go with a request to another origin; any other may be a credential. */
const harmless: ReadonlySet<string> = new Set(["accept", "accept-language", "range", "user-agent"]);

/** The request that a redirect asks for (WHATWG fetch, HTTP-redirect fetch). */
function redirected(
  init: FetchInit,
  {
    status,
    from: { host, origin },
    to,
  }: { readonly status: number; readonly from: URL; readonly to: URL },
): FetchInit {
  const { body, ...rest } = init;
  const asGet = status === 303 || (status < 303 && init.method === "POST");
  const headers = Object.entries(init.headers ?? {}).filter(
    ([name]) => to.origin === origin || harmless.has(name.toLowerCase()),
  );
  const kept = { ...rest, headers: Object.fromEntries(headers) };
  if (asGet) return { ...kept, method: "GET" };
  if (body !== undefined && typeof body !== "string") {
    const problem = "it sends an upload elsewhere, and an upload is sent once";
    throw new AppError("door.unreachable", { host, problem });
  }
  return body === undefined ? kept : { ...kept, body };
}

/** Moves a name and password out of the address, where a failure would print them, into a header. */
function withoutCredentials(address: URL, init: FetchInit): { url: URL; init: FetchInit } {
  const { username, password } = address;
  if (username === "" && password === "") return { url: address, init };
  const url = new URL(address);
  url.username = "";
  url.password = "";
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization = `Basic ${Buffer.from(pair).toString("base64")}`;
  return { url, init: { ...init, headers: { authorization, ...init.headers } } };
}

/** The one door out: every connection of the program is made here, by rule and on record. */
export function createDoor(options: DoorOptions): Door {
  const rules = [...(options.rules ?? [])];
  const recorder = createRecorder(options);
  const loaded: { undici: Promise<Undici> | undefined } = { undici: undefined };

  async function once(use: DoorUse, url: URL, init: FetchInit): Promise<Response> {
    checkRules(rules, use, { url, method: init.method ?? "GET" });
    const { fetch, meter, agentFor } = await (loaded.undici ??= loadUndici());
    init.signal?.throwIfAborted();
    const watch = await recorder.begin(use, url, trustFor(rules, use, url));
    const dispatcher = metered(agentFor(use), meter, watch);
    try {
      return await fetch(url, { ...init, redirect: "manual", dispatcher, duplex: "half" });
    } catch (error) {
      throw unreachable(error, url.host, init.signal);
    }
  }

  function open(use: DoorUse): Fetch {
    return async (address, given = {}) => {
      let { url, init } = withoutCredentials(new URL(address), given);
      let hop = use;
      for (let hops = 0; hops <= redirectLimit; hops += 1) {
        const response = await once(hop, url, init);
        const location = response.headers.get("location");
        if (!redirects.has(response.status) || location === null) return response;
        await response.body?.cancel();
        const to = new URL(location, url);
        init = redirected(init, { status: response.status, from: url, to });
        hop = { ...use, linkedFrom: use.linkedFrom ?? url.href };
        url = to;
      }
      throw new AppError("door.unreachable", { host: url.host, problem: "too many redirects" });
    };
  }

  return {
    open,
    allow: (rule) => void rules.push(rule),
    async close() {
      await (await loaded.undici)?.close();
      await recorder.settled();
    },
  };
}
