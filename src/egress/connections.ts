import type { Socket } from "node:net";

import type { Agent, buildConnector, Dispatcher } from "undici";

import type { DoorUse } from "#core/http.ts";

import { createLookup, type Network } from "./addresses.ts";
import { createMeter } from "./meter.ts";
import { type OwnersProxy, throughProxy } from "./proxy.ts";
import type { Entry } from "./recorder.ts";

const defaultConnectMs = 5000;

/** No deadline of undici's own: a model may think for long, and callers have theirs. HTTP/1 only: its bytes can be counted. */
const plainHttp = { headersTimeout: 0, bodyTimeout: 0, allowH2: false } as const;

/** Who a server is, is always checked: the environment could ask for less (NODE_TLS_REJECT_UNAUTHORIZED), and settings are the owner's. */
const connecting = { allowH2: false, rejectUnauthorized: true } as const;

/** Connections of one kind of use. */
export interface Way {
  readonly agent: Agent;
  /** A connection for a client of its own, over TLS where the address says so. */
  connect(url: URL): Promise<Socket>;
  destroy(): Promise<void>;
}

/** What ways are made of. */
export interface WayOptions {
  readonly network: Network;
  readonly proxy: OwnersProxy | undefined;
  /** Puts a request to a host on record that belongs to no task. */
  readonly overhead: (url: URL) => Promise<Entry>;
}

/** A connection by a connector of undici's. */
function connectBy(connect: buildConnector.connector, url: URL): Promise<Socket> {
  const { host, port } = url;
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const protocol = url.protocol.replace("ws", "http");
  return new Promise((resolve, reject) => {
    connect({ hostname, host, port, protocol }, (error, socket) => {
      if (error === null) resolve(socket);
      else reject(error);
    });
  });
}

/** undici, loaded at the first connection, since it is large and most commands make none. */
export async function loadUndici({ network, proxy, overhead }: WayOptions) {
  const undici = await import("undici");
  const lookup = createLookup(network);
  const ways = new Map<number | AbortSignal, Way>();
  const meter = createMeter();

  async function reach({ url }: OwnersProxy, pool: Dispatcher): Promise<Dispatcher> {
    return meter.metered(pool, { kept: true, ended: (await overhead(new URL(url))).ended });
  }

  function makeWay(timeout: number): Way {
    const settings = { ...connecting, timeout };
    const direct = undici.buildConnector({ ...settings, lookup });
    // The proxy's own answer is a part of the connection, and has its deadline.
    const toProxy = { connect: undici.buildConnector(settings), headersTimeout: timeout };
    const pool = proxy && new undici.Pool(proxy.url, { ...plainHttp, ...toProxy });
    const connect =
      proxy && pool ? throughProxy(direct, { proxy, reach: () => reach(proxy, pool) }) : direct;
    const agent = new undici.Agent({ ...plainHttp, connect });
    return {
      agent,
      connect: (url) => connectBy(connect, url),
      async destroy() {
        await Promise.all([agent.destroy(), pool?.destroy()]);
      },
    };
  }

  /** Ends a way's connections with the signal that they are kept by. */
  function endWith(signal: AbortSignal, way: Way): void {
    const end = (): void => {
      ways.delete(signal);
      void way.destroy();
    };
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  }

  return {
    fetch: undici.fetch,
    meter,
    wayFor({ connectMs = defaultConnectMs, ownUntil }: DoorUse): Way {
      const key = ownUntil ?? connectMs;
      const known = ways.get(key);
      if (known !== undefined) return known;
      const made = makeWay(connectMs);
      ways.set(key, made);
      if (ownUntil !== undefined) endWith(ownUntil, made);
      return made;
    },
    async close(): Promise<void> {
      await Promise.all([...ways.values()].map((way) => way.destroy()));
      meter.close();
    },
  };
}
