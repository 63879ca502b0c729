import type { DoorUse, Relay } from "#core/http.ts";

import type { Way } from "./connections.ts";
import { unreachable } from "./failures.ts";
import type { Gate } from "./gate.ts";
import { join } from "./pipe.ts";
import { nothing } from "./recorder.ts";
import { withoutCredentials } from "./redirects.ts";
import { openRelay } from "./relay.ts";

/** The relays of a door. */
export function createRelays(gate: Gate, wayFor: (use: DoorUse) => Promise<Way>) {
  const opened = new Set<Relay>();
  return {
    /** Rejects with an AppError where the address is refused already. */
    async open(use: DoorUse, address: string): Promise<Relay> {
      const { url, authorization } = withoutCredentials(new URL(address));
      const headers = authorization === undefined ? [] : [`Authorization: ${authorization}`];
      await gate.check(use, url, "GET");
      const relay = await openRelay(url, async (client, beyond) => {
        const trust = await gate.check(use, beyond, "GET");
        const way = await wayFor(use);
        const { ended } = await gate.begin(use, beyond, trust);
        try {
          join(client, await way.connect(beyond), { url: beyond, headers, ended });
        } catch (error) {
          ended(nothing);
          throw unreachable(error, beyond.host);
        }
      });
      opened.add(relay);
      return {
        url: relay.url,
        async close() {
          opened.delete(relay);
          await relay.close();
        },
      };
    },
    async close(): Promise<void> {
      await Promise.all([...opened].map((relay) => relay.close()));
    },
  };
}
