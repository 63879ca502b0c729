// A process that does nothing but watch its own event loop: how much of a delay is this machine's.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
await pause(Number(process.argv[2] ?? 3000));
process.stdout.write(`${delay.percentile(99) / 1e6}\n`);
