import { AppError } from "#core/errors.ts";
import type { Door, DoorUse, Fetch, FetchInit } from "#core/http.ts";
import { lazily } from "#core/lazy.ts";

import { type Network, ownNetwork } from "./addresses.ts";
import { loadUndici } from "./connections.ts";
import { unreachable } from "./failures.ts";
import { createGate, type GateOptions } from "./gate.ts";
import type { OwnersProxy } from "./proxy.ts";
import type { Entry } from "./recorder.ts";
import { locationOf, redirected, withoutCredentials } from "./redirects.ts";
import { isFurther } from "./rules.ts";

/** What the door works with. */
export interface DoorOptions extends GateOptions {
  /** Absent is none; the environment's is never used. */
  readonly proxy?: OwnersProxy | undefined;
  /** Absent is the machine's own. */
  readonly network?: Network;
}

const redirectLimit = 5;

type Once = (use: DoorUse, url: URL, init: FetchInit) => Promise<Response>;

/** A fetch that follows redirects, each of them a request of its own. */
function following(once: Once, use: DoorUse): Fetch {
  return async (address, given = {}) => {
    const { url: first, authorization } = withoutCredentials(new URL(address));
    let [url, init, hop] = [first, given, use];
    if (authorization !== undefined) {
      init = { ...given, headers: { authorization, ...given.headers } };
    }
    for (let hops = 0; hops <= redirectLimit; hops += 1) {
      const response = await once(hop, url, init);
      const to = locationOf(response, url);
      if (to === undefined) return response;
      await response.body?.cancel();
      init = redirected(init, { status: response.status, from: url, to });
      // What was to be sent to a host at home was judged for there.
      if (init.body !== undefined && isFurther(to, first)) {
        throw new AppError("door.refused", { host: to.host, purpose: use.purpose });
      }
      hop = { ...use, linkedFrom: use.linkedFrom ?? url.href };
      url = to;
    }
    throw new AppError("door.unreachable", { host: url.host, problem: "too many redirects" });
  };
}

/** The one door out: every connection of the program is made here, by rule and on record. */
export function createDoor(options: DoorOptions): Door {
  const { network = ownNetwork, proxy } = options;
  const gate = createGate(options);
  const undici = lazily(() =>
    loadUndici({ network, proxy, overhead: (url) => gate.overhead(url) }),
  );
  const relays = lazily(async () => {
    const { createRelays } = await import("./relays.ts");
    return createRelays(gate, async (use) => (await undici()).wayFor(use));
  });

  /** What is told of an answer's request while anybody still reads it. */
  const entries = new WeakMap<Response, Entry>();

  async function once(use: DoorUse, url: URL, init: FetchInit): Promise<Response> {
    const trust = await gate.check(use, url, init.method ?? "GET");
    const net = await undici();
    init.signal?.throwIfAborted();
    const entry = await gate.begin(use, url, trust);
    const kept = typeof init.body === "string";
    const { ended } = entry;
    const dispatcher = net.meter.metered(net.wayFor(use).agent, { kept, ended });
    try {
      const asked = { ...init, redirect: "manual", dispatcher, duplex: "half" } as const;
      const response = await net.fetch(url, asked);
      entries.set(response, entry);
      return response;
    } catch (error) {
      throw unreachable(error, url.host, init.signal);
    }
  }

  return {
    open: (use) => following(once, use),
    relay: async (use, url) => (await relays()).open(use, url),
    allow: (rule) => gate.allow(rule),
    passedOn: (response) => entries.get(response)?.passedOn(),
    async close() {
      await (await relays.made())?.close();
      await (await undici.made())?.close();
      await gate.settled();
    },
  };
}
