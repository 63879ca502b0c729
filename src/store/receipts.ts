import type { Receipt } from "#core/http.ts";
import type { Store } from "#core/store.ts";

import type { Commit } from "./commit.ts";
import { columns } from "./queries.ts";
import { fromReceipt } from "./rows.ts";
import type { Writer } from "./writer.ts";

function put({ build, fixed, run }: Commit, receipt: Receipt): void {
  const row = fromReceipt(receipt);
  run(fixed("put receipt", row, () => build.replaceInto("receipts").values(columns(row))));
}

/**
 * Only what goes to a cloud must be on record before it goes. Any other receipt may wait for a later commit, and is written once where
 * its request ends before that, as most do.
 */
export function createPutReceipt(commit: Commit, writer: Writer): Store["putReceipt"] {
  const waiting = new Map<string, { newest: Receipt; readonly written: Promise<void> }>();

  function putLater(receipt: Receipt): Promise<void> {
    const { id } = receipt;
    const mine = { newest: receipt };
    const written = writer.later(() => {
      waiting.delete(id);
      put(commit, mine.newest);
    });
    const entry = Object.assign(mine, { written });
    waiting.set(id, entry);
    // A commit that never began has run nothing.
    written.catch(() => {
      if (waiting.get(id) === entry) waiting.delete(id);
    });
    return written;
  }

  return (receipt) => {
    if (receipt.trust === "cloud") return writer.write(() => put(commit, receipt));
    const earlier = waiting.get(receipt.id);
    if (earlier === undefined) return putLater(receipt);
    earlier.newest = receipt;
    return earlier.written;
  };
}
