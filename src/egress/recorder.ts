import type { Clock } from "#core/clock.ts";
import type { DoorUse, Receipt } from "#core/http.ts";
import { newId } from "#core/ids.ts";
import type { Trust } from "#core/trust.ts";

/** Where receipts go. */
export interface RecorderOptions {
  readonly clock: Clock;
  /** Stores a receipt; called when a request begins and again when it has ended. */
  readonly record: (receipt: Receipt) => Promise<void>;
  /** Told of a receipt that could not be stored; a request to the cloud is then not made, any other goes on. */
  readonly onUnrecorded: (error: unknown) => void;
}

/** What one request has moved. */
export type Moved = Pick<
  Receipt,
  | "headBytesOut"
  | "bodyBytesOut"
  | "headBytesIn"
  | "bodyBytesIn"
  | "sha256Out"
  | "sha256In"
  | "status"
>;

/** What a request that never connected has moved. */
export const nothing: Moved = {
  headBytesOut: 0,
  bodyBytesOut: 0,
  headBytesIn: 0,
  bodyBytesIn: 0,
  sha256Out: null,
  sha256In: null,
  status: null,
};

/** Writes a request's receipt when it begins and when it has ended; `settled` waits for those being written. */
export function createRecorder({ clock, record, onUnrecorded }: RecorderOptions) {
  const writing = new Set<Promise<void>>();

  function put(receipt: Receipt): Promise<void> {
    const written = record(receipt);
    const reported = written.catch(onUnrecorded).finally(() => writing.delete(reported));
    writing.add(reported);
    return written;
  }

  /** Resolves when the request may go out, with what is told of its end. */
  async function begin(use: DoorUse, url: URL, trust: Trust): Promise<(moved: Moved) => void> {
    const at = clock.now();
    const { purpose, taskId, labels = [], redactions = 0 } = use;
    const head = { id: newId(at), taskId, purpose, host: url.host, trust, at, labels, redactions };
    const begun = put({ ...head, ...nothing });
    // What leaves the home network is on record before its first byte, or does not leave.
    if (trust === "cloud") await begun;
    return (moved) => void put({ ...head, ...moved });
  }

  return {
    begin,
    async settled(): Promise<void> {
      while (writing.size > 0) await Promise.all(writing);
    },
  };
}
