/**
 * The process that the Telegram campaign kills: what `agent serve` is, with seams between its parts that kill it at an armed point,
 * let its disk be full and its clock jump, and write down, each line flushed, which updates the store has promised to keep.
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { openProgram } from "../../src/app.ts";
import { createOutput } from "../../src/cli/output.ts";
import { runCli } from "../../src/cli/program.ts";
import { createOwnRedactor, findFolders, readVersion } from "../../src/config.ts";
import type { ChatPlatform, Update } from "../../src/core/chat.ts";
import { type Clock, systemClock } from "../../src/core/clock.ts";
import { AppError } from "../../src/core/errors.ts";
import type { Accept, Seams } from "../../src/seams.ts";
import type { SqliteStore } from "../../src/store/open-store.ts";

import { storeWrites } from "./telegram-points.ts";
import { childSettingsSchema, type Entry } from "./telegram-settings.ts";

const settings = childSettingsSchema.parse(JSON.parse(process.argv[2] ?? "{}"));
const { home, armed, full, broken } = settings;
const root = path.join(import.meta.dirname, "../..");
const journal = openSync(settings.journal, "a");

function note(entry: Entry): void {
  writeSync(journal, `${JSON.stringify(entry)}\n`);
  fdatasyncSync(journal);
}

const trap = { isSet: armed?.onSignal === false, left: armed?.nth ?? 0 };
process.on("SIGUSR2", () => void (trap.isSet = true));

/** The process ends here when this is the armed point. */
function pass(point: string): void {
  if (!trap.isSet || armed?.point !== point) return;
  trap.left -= 1;
  if (trap.left > 0) return;
  note({ killed: point });
  process.kill(process.pid, "SIGKILL");
}

function isFull(): boolean {
  const now = performance.now();
  return full !== undefined && now >= full.afterMs && now < full.afterMs + full.forMs;
}

function messageOf({ event }: Update): string[] {
  return event.type === "message" ? [`${event.place.address}/${event.messageId}`] : [];
}

/** Says in the journal what was promised, before anybody else hears of it. */
function journalled(store: SqliteStore): SqliteStore {
  return {
    ...store,
    async receive(from, updates) {
      const storing = store.receive(from, updates);
      storing.catch(() => undefined);
      const received = broken === "lying-store" ? [] : await storing;
      note({
        accepted: updates.map(({ updateId }) => updateId),
        messages: updates.flatMap(messageOf),
      });
      return received;
    },
  };
}

/** How much later than its promise the commit of a store that lies comes. */
const lieMs = 200;

/** A store whose commit of what was received comes later than its promise. */
function late(store: SqliteStore): SqliteStore {
  return {
    ...store,
    async receive(from, updates) {
      await pause(lieMs);
      return store.receive(from, updates);
    },
  };
}

const writes: ReadonlySet<unknown> = new Set(storeWrites);

/** A store whose writes are points, and fail while the disk is full. */
function pointed(store: SqliteStore): SqliteStore {
  return new Proxy(store, {
    get(target, name, receiver) {
      const found: unknown = Reflect.get(target, name, receiver);
      if (typeof found !== "function" || !writes.has(name)) return found;
      return async (...given: unknown[]): Promise<unknown> => {
        if (isFull()) throw new AppError("store.full", { folder: home });
        pass(`before ${String(name)}`);
        const result: unknown = await Reflect.apply(found, target, given);
        pass(`after ${String(name)}`);
        return result;
      };
    },
  });
}

/** Confirms before anything is stored. */
function confirmFirst(accept: Accept): Accept {
  return (account, updates, away) => {
    void pause(30).then(() => accept(account, updates, away));
    return Promise.resolve();
  };
}

/** Sends the text again, in a message of its own, when it is not known what became of it. */
function resendWhenUnsure(platform: ChatPlatform): ChatPlatform {
  return {
    ...platform,
    async edit(target, messageId, part) {
      const sent = await platform.edit(target, messageId, part);
      if (sent.ok || sent.why.type !== "unknown") return sent;
      const placed = await platform.place(target);
      return placed.ok ? platform.edit(target, placed.messageId, part) : sent;
    },
  };
}

/** Tells a wrong time, another one from some moment on; pauses last as long as ever. */
const clock: Clock = {
  now() {
    const { startsAt, afterMs, jumpsTo } = settings.clock;
    return systemClock.now() + (performance.now() < afterMs ? startsAt : jumpsTo);
  },
  elapsed: () => systemClock.elapsed(),
  sleep: (ms, signal) => systemClock.sleep(ms, signal),
};

const seams: Seams = {
  clock,
  store: (store) => pointed(journalled(broken === "lying-store" ? late(store) : store)),
  ...(broken === "confirm-first" ? { accept: confirmFirst } : {}),
  ...(broken === "resend-when-unsure" ? { platform: resendWhenUnsure } : {}),
};

const { stdout, stdin, stderr } = process;
const redactor = createOwnRedactor();
const termination = new AbortController();
process.on("SIGTERM", () => termination.abort());
const version = await readVersion(root);
process.exitCode = await runCli(["--home", home, "serve"], {
  version,
  output: createOutput(stdout, stderr, { noColor: true, redact: redactor.redact }),
  stdin,
  screen: stderr,
  interrupt: () => termination.signal,
  termination: () => termination.signal,
  open: ({ home: named, ...options }) =>
    openProgram({ ...options, folders: findFolders(root, named), redactor, version, seams }),
});
closeSync(journal);
