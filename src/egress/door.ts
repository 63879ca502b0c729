import { AppError, reasonOf } from "#core/errors.ts";
import type { Door, DoorRule, DoorUse, Fetch, FetchInit } from "#core/http.ts";
import { lazily } from "#core/lazy.ts";
import type { Trust } from "#core/trust.ts";

import { createAddresses, type Resolve, systemResolve } from "./addresses.ts";
import { openConnections, type Proxy } from "./connections.ts";
import { metered } from "./meter.ts";
import { createRecorder, type RecorderDeps } from "./recorder.ts";
import { createRelays } from "./relay.ts";
import { checkRules, trustFor } from "./rules.ts";

/** What the door works with. */
export interface DoorOptions extends RecorderDeps {
  readonly rules?: readonly DoorRule[];
  /** True where nothing may go to a cloud for this task; null asks of what belongs to none. Absent is never. */
  readonly localOnly?: (taskId: string | null) => Promise<boolean>;
  /** The owner's proxy for what goes beyond the home network; that of the environment is not asked. */
  readonly proxy?: Proxy | undefined;
  /** The system's own resolver where it is absent. */
  readonly resolve?: Resolve;
}

const redirectLimit = 5;
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

/** Our own failure, where that is what is behind it. */
function ownFailure(error: unknown): AppError | undefined {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof AppError) return at;
  return undefined;
}

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
  const own = ownFailure(error);
  if (own !== undefined) return own;
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const problem = problems[codeIn(error)] ?? reasonOf(cause);
  return new AppError("door.unreachable", { host, problem }, { cause: error });
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

/** Adds a rule; gives what takes it back. */
function addTo(rules: DoorRule[], rule: DoorRule): () => void {
  rules.push(rule);
  return () => {
    const at = rules.indexOf(rule);
    if (at !== -1) rules.splice(at, 1);
  };
}

/** What is asked before anything is looked up or connected to. */
function createGate({ localOnly }: Pick<DoorOptions, "localOnly">, rules: readonly DoorRule[]) {
  /** How far the host is trusted; rejects with `door.local-only` or `door.refused`. */
  return async (use: DoorUse, url: URL, method: string): Promise<Trust> => {
    const trust = trustFor(rules, use, url);
    if (trust === "cloud" && (await localOnly?.(use.taskId)) === true) {
      throw new AppError("door.local-only", { host: url.host });
    }
    checkRules(rules, use, { url, method });
    return trust;
  };
}

/** The one door out: every connection of the program is made here, by rule and on record. */
export function createDoor(options: DoorOptions): Door {
  const rules = [...(options.rules ?? [])];
  const recorder = createRecorder(options);
  const addresses = createAddresses(options.resolve ?? systemResolve);
  const gate = createGate(options, rules);
  const connections = lazily(() => openConnections(addresses, options.proxy));
  const relays = createRelays({ gate, recorder, addresses });

  async function once(use: DoorUse, url: URL, init: FetchInit): Promise<Response> {
    const trust = await gate(use, url, init.method ?? "GET");
    const made = await connections();
    init.signal?.throwIfAborted();
    const watch = await recorder.begin(use, url, trust);
    const isFar = trust === "cloud" || trust === "platform";
    const dispatcher = metered(made.agentFor(use, isFar), made.meter, watch);
    try {
      return await made.fetch(url, { ...init, redirect: "manual", dispatcher, duplex: "half" });
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
    relay: (use, url) => relays.open(use, url),
    allow: (rule) => addTo(rules, rule),
    async close() {
      await relays.close();
      await (await connections.made())?.close();
      await recorder.settled();
    },
  };
}
