import type { LookupFunction } from "node:net";

import type { Dispatcher } from "undici";

import type { DoorUse } from "#core/http.ts";

import type { Address, Addresses } from "./addresses.ts";
import { createMeter } from "./meter.ts";

/** A proxy of the owner's. */
export interface Proxy {
  /** Its address, for example http://proxy.home.arpa:3128. */
  readonly url: string;
  /** What is sent as Proxy-Authorization, asked for at each new connection; undefined where it wants nothing. */
  readonly authorization: () => string | undefined;
}

const defaultConnectMs = 5000;

/** No deadline of undici's own: a model may think for long, and callers have theirs. HTTP/1 only: its bytes can be counted. */
const plainHttp = { headersTimeout: 0, bodyTimeout: 0, allowH2: false } as const;

type LookupCallback = Parameters<LookupFunction>[2];

/** A lookup that gives checked addresses alone, so that what was checked is what is connected to. */
function pinned(addresses: Addresses): LookupFunction {
  async function find(hostname: string, all: boolean, callback: LookupCallback): Promise<void> {
    let found: readonly Address[];
    try {
      found = await addresses.of(hostname);
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)), "");
      return;
    }
    const [first] = found;
    if (all) callback(null, [...found]);
    else callback(null, first?.address ?? "", first?.family);
  }
  return (hostname, { all = false }, callback) => void find(hostname, all, callback);
}

/** undici, loaded at the first request, since it is large and most commands send none. */
export async function openConnections(addresses: Addresses, proxy: Proxy | undefined) {
  const { Agent, ProxyAgent, fetch } = await import("undici");
  const agents = new Map<string | AbortSignal, Dispatcher>();
  const meter = createMeter();
  const lookup = pinned(addresses);

  /** Ends an agent's connections with the signal that they are kept by. */
  function endWith(signal: AbortSignal, agent: Dispatcher): void {
    const end = (): void => {
      agents.delete(signal);
      void agent.destroy();
    };
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  }

  function make(connectMs: number, isFar: boolean): Dispatcher {
    const connect = { timeout: connectMs, lookup };
    if (proxy === undefined || !isFar) return new Agent({ ...plainHttp, connect });
    const token = proxy.authorization();
    // What a name leads to is then the proxy's to find out.
    const through = { ...plainHttp, uri: proxy.url, requestTls: { timeout: connectMs } };
    return new ProxyAgent({ ...through, ...(token === undefined ? {} : { token }) });
  }

  return {
    fetch,
    meter,
    /** The connections of a use; those that go beyond the home network go by the owner's proxy, if there is one. */
    agentFor({ connectMs = defaultConnectMs, ownUntil }: DoorUse, isFar: boolean): Dispatcher {
      const key = ownUntil ?? `${connectMs} ${isFar ? "far" : "near"}`;
      const known = agents.get(key);
      if (known !== undefined) return known;
      const made = make(connectMs, isFar);
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
