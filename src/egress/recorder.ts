import type { Clock } from "#core/clock.ts";
import type { DoorUse, Receipt } from "#core/http.ts";
import { newId } from "#core/ids.ts";
import type { Trust } from "#core/trust.ts";

import { nothingMoved, type Watch } from "./meter.ts";

/** What receipts are written with. */
export interface RecorderDeps {
  readonly clock: Clock;
  /** Stores a receipt; called when a request begins and again when it has ended. */
  readonly record: (receipt: Receipt) => Promise<void>;
  /** Told of a receipt that could not be stored; a request to the cloud is then not made, any other goes on. */
  readonly onUnrecorded: (error: unknown) => void;
}

/** Writes receipts. */
export interface Recorder {
  /** Writes a request's receipt as it begins; call what it gives once with what the request moved. */
  begin(use: DoorUse, url: URL, trust: Trust): Promise<Watch>;
  /** Waits for those that are being written. */
  settled(): Promise<void>;
}

/** A recorder over a store of receipts. */
export function createRecorder({ clock, record, onUnrecorded }: RecorderDeps): Recorder {
  const writing = new Set<Promise<void>>();

  function put(receipt: Receipt): Promise<void> {
    const written = record(receipt);
    const reported = written.catch(onUnrecorded).finally(() => writing.delete(reported));
    writing.add(reported);
    return written;
  }

  return {
    async begin({ purpose, taskId, labels = [], redactions = 0 }, { host }, trust) {
      const at = clock.now();
      const head = { id: newId(at), taskId, purpose, host, trust, at, labels, redactions };
      const begun = put({ ...head, ...nothingMoved });
      // What leaves the home network is on record before its first byte, or does not leave.
      if (trust === "cloud") await begun;
      return (count) => void put({ ...head, ...count }).catch(() => undefined);
    },
    async settled() {
      while (writing.size > 0) await Promise.all(writing);
    },
  };
}
