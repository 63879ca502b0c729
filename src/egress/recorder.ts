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

/** The receipt of a request that may go out. */
export interface Entry {
  /** Told once, when nothing more will be moved. */
  readonly ended: (moved: Moved) => void;
  /** The host passed what it was sent on to a cloud: the receipt says so at once. */
  readonly passedOn: () => void;
}

/** Writes a request's receipt when it begins and when it has ended; `settled` waits for those being written. */
export function createRecorder({ clock, record, onUnrecorded }: RecorderOptions) {
  const writing = new Set<Promise<void>>();

  function put(receipt: Receipt): Promise<void> {
    const written = record(receipt);
    const reported = written.catch(onUnrecorded).finally(() => writing.delete(reported));
    writing.add(reported);
    return written;
  }

  /** Resolves when the request may go out. */
  async function begin(use: DoorUse, url: URL, trust: Trust): Promise<Entry> {
    const at = clock.now();
    const { purpose, taskId, labels = [], redactions = 0 } = use;
    const head = { id: newId(at), taskId, purpose, host: url.host, at, labels, redactions };
    const known = { trust, moved: nothing };
    const write = (): Promise<void> => put({ ...head, trust: known.trust, ...known.moved });
    const begun = write();
    // What leaves the home network is on record before its first byte, or does not leave.
    if (trust === "cloud") await begun;
    return {
      ended(moved) {
        known.moved = moved;
        void write();
      },
      passedOn() {
        known.trust = "cloud";
        void write();
      },
    };
  }

  return {
    begin,
    async settled(): Promise<void> {
      while (writing.size > 0) await Promise.all(writing);
    },
  };
}
