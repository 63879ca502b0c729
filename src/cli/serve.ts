import { systemClock } from "#core/clock.ts";
import { AppError, exitCodes } from "#core/errors.ts";
import type { Shutdown } from "#core/operations.ts";

import { logLineText } from "./log-line.ts";
import type { Output } from "./output.ts";
import type { Services } from "./services.ts";

/** How long a service that ends lets its tasks finish before it parks them. */
const graceMs = 10_000;

/** A service between its start and its end. */
export interface Serving {
  /** Asks it to end. */
  readonly end: (why: Shutdown) => void;
  /** Shows a line of the log. */
  readonly echo: (line: string) => void;
  /** Takes the data, works what was left open, and answers until it is asked to end. */
  readonly run: (services: Services) => Promise<number>;
}

/** A bot that has heard nothing for so long is not alive, whatever the process does. */
const deafMs = 10 * 60_000;

/** Tells the supervisor, as often as it wants, that the service is alive: proven by an operation that reaches the database. */
function keepAlive(services: Services, ended: AbortSignal): void {
  const { watchdogMs, operations, notify } = services;
  if (watchdogMs === undefined) return;
  const timer = setInterval(() => {
    const alive = operations.status({}).then(({ telegram }) => {
      const silentMs = systemClock.now() - (telegram?.lastPollAt ?? systemClock.now());
      return silentMs < deafMs ? notify("WATCHDOG=1") : undefined;
    });
    alive.catch(() => undefined);
  }, watchdogMs / 2);
  ended.addEventListener("abort", () => clearInterval(timer));
}

/** Refuses to start where another process holds the data; says which. */
async function takeData(services: Services): Promise<void> {
  const holder = await services.holder();
  if (holder === undefined) {
    if (await services.isOwn()) return;
    throw new AppError("service.running", { pid: "unknown" });
  }
  holder.close();
  const { pid, kind } = holder.hello;
  if (kind === "service") throw new AppError("service.running", { pid });
  throw new AppError("store.locked", { pid, folder: services.home });
}

/** A service that shows its log on `output` and ends at `terminated` or when it is asked to. */
export function createServing(output: Output, terminated: AbortSignal): Serving {
  const asked = new AbortController();
  const state: { why: Shutdown } = { why: "asked" };
  const ended = AbortSignal.any([asked.signal, terminated]);
  return {
    end(why) {
      state.why = why;
      asked.abort();
    },
    echo: (line) => output.note(logLineText(line)),
    async run(services) {
      await takeData(services);
      output.note(`Serving ${services.home} as process ${process.pid}; agent stop ends it.`);
      services.resume({}).catch((error: unknown) => {
        if (!(error instanceof AppError)) throw error;
        output.note(error.message);
      });
      await services.notify("READY=1");
      keepAlive(services, ended);
      if (!ended.aborted) {
        const { promise, resolve } = Promise.withResolvers<void>();
        // The open socket alone would not keep the process alive.
        const staying = setInterval(() => undefined, 2 ** 30);
        ended.addEventListener("abort", () => {
          clearInterval(staying);
          resolve();
        });
        await promise;
      }
      await services.notify("STOPPING=1");
      await services.stop(graceMs);
      if (state.why === "asked") {
        output.note("Stopped.");
        return exitCodes.ok;
      }
      output.note("Telegram is not heard any more: ended, so that a new process may be started.");
      return exitCodes.tryLater;
    },
  };
}
