import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";

import type { FakeTelegram } from "../fakes/telegram/server.ts";

import { type ChildSettings, createJournalReader, type Entry } from "./telegram-settings.ts";

/** A process of the bot, from its start to its end. */
export interface Life {
  readonly startedAt: number;
  /** True once it has asked for updates. */
  polls(): boolean;
  isOver(): boolean;
  signal(name: "SIGKILL" | "SIGSTOP" | "SIGCONT" | "SIGUSR2" | "SIGTERM"): void;
  /** Resolves when it has ended: the exit code, null where a signal ended it. */
  readonly ended: Promise<number | null>;
  /** The last that it said. */
  readonly said: () => string;
}

const heapFlags = [
  "--max-semi-space-size=1",
  "--optimize-for-size",
  "--disable-warning=ExperimentalWarning",
];

/** The home of a bot and the processes that serve it, one after the other. */
export function createLives(telegram: FakeTelegram, home: string) {
  const journal = path.join(home, "journal");
  writeFileSync(journal, "");
  const readEntries = createJournalReader(journal);
  const cache = path.join(home, "workspace/state/compile-cache");

  function start(settings: Omit<ChildSettings, "home" | "journal">): Life {
    const script = path.join(import.meta.dirname, "bot-child.ts");
    const argument = JSON.stringify({ ...settings, home, journal } satisfies ChildSettings);
    const child: ChildProcess = spawn(process.execPath, [...heapFlags, script, argument], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, TELEGRAM_BOT_TOKEN: telegram.token, NODE_COMPILE_CACHE: cache },
    });
    const state = { said: "", over: false };
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      state.said = (state.said + text).slice(-4000);
    });
    const before = telegram.calls("getUpdates").length;
    const ended = new Promise<number | null>((resolve) => {
      child.on("exit", (code) => {
        state.over = true;
        resolve(code);
      });
    });
    return {
      startedAt: performance.now(),
      polls: () => telegram.calls("getUpdates").length > before,
      isOver: () => state.over,
      signal: (name) => void child.kill(name),
      ended,
      said: () => state.said,
    };
  }

  /** What the database holds, read by another hand than the product's. */
  function look<Found>(question: (database: DatabaseSync) => Found): Found {
    const database = new DatabaseSync(path.join(home, "workspace/state/agent.db"), {
      readOnly: true,
    });
    try {
      return question(database);
    } finally {
      database.close();
    }
  }

  return {
    start,
    /** What was written in the journal since it was read last. */
    entries: (): Entry[] => readEntries(),
    /** How many of these updates are not in the database. */
    missing(updates: readonly string[]): number {
      if (updates.length === 0) return 0;
      return look((database) => {
        const find = database.prepare("SELECT 1 FROM inbox WHERE update_id = ?");
        return updates.filter((update) => find.get(update) === undefined).length;
      });
    },
    /** True where nothing is left to be done: what is not answered now never will be. */
    isIdle(): boolean {
      return look((database) => {
        const open = database.prepare(
          `SELECT (SELECT count(*) FROM inbox WHERE done_at IS NULL)
             + (SELECT count(*) FROM tasks WHERE state IN ('queued', 'running'))
             + (SELECT count(*) FROM outbox WHERE state = 'open') AS open`,
        );
        return open.get()?.["open"] === 0;
      });
    },
  };
}

export type Lives = ReturnType<typeof createLives>;
