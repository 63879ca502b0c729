import { onTestFinished } from "vitest";

import { systemClock } from "../../src/core/clock.ts";
import type { Door, DoorRule, Receipt } from "../../src/core/http.ts";
import { createDoor, type DoorOptions } from "../../src/egress/door.ts";

/** The product's door with its receipts in a list, in the order of their ids. */
export function openDoor(
  rules: readonly DoorRule[] = [],
  more: Partial<DoorOptions> = {},
): {
  readonly door: Door;
  readonly receipts: () => Receipt[];
} {
  const byId = new Map<string, Receipt>();
  const record = (receipt: Receipt): Promise<void> => {
    byId.set(receipt.id, receipt);
    return Promise.resolve();
  };
  const onUnrecorded = (error: unknown): void => {
    throw error;
  };
  const localOnly = (): Promise<boolean> => Promise.resolve(false);
  const base = { clock: systemClock, rules, record, onUnrecorded, localOnly };
  const door = createDoor({ ...base, ...more });
  onTestFinished(() => door.close());
  return { door, receipts: () => [...byId.values()] };
}
