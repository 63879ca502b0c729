import type { Clock } from "../../src/core/clock.ts";

import { createFakeClock } from "./clock.ts";

/** How often the clock is moved, in real milliseconds. */
const tickMs = 5;

/** A clock that runs `factor` times as fast as the machine's, and can be moved on besides; `close` stops it. */
export function createSwiftClock(
  factor: number,
  start = Date.now(),
): Clock & { pass(ms: number): void; close(): void } {
  const clock = createFakeClock(start);
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    clock.pass((now - last) * factor);
    last = now;
  }, tickMs);
  return { ...clock, close: () => clearInterval(timer) };
}
