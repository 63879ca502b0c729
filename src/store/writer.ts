import type { Database } from "better-sqlite3";

import type { Clock } from "#core/clock.ts";
import { AppError } from "#core/errors.ts";

/** Runs writes so that those of one turn of the event loop share a commit. */
export interface Writer {
  /** Runs `work` in the next commit, behind a savepoint of its own; resolves after that commit. */
  readonly write: <Result>(work: () => Result) => Promise<Result>;
  /** The same, but waits a moment for another write to share its commit: for what a crash may forget. */
  readonly later: <Result>(work: () => Result) => Promise<Result>;
  /** Commits so far. */
  readonly commits: () => number;
  /** Commits what is waiting; later writes are refused. */
  readonly close: () => void;
}

interface Waiting {
  /** Runs the work; gives what settles its promise once the commit is known. */
  readonly run: () => () => void;
  readonly fail: (error: unknown) => void;
}

/** How long a write that is in no hurry waits for another. */
const patienceMs = 20;

/** Runs a piece of work so that its failure undoes what it did and nothing else. */
function createSavepoint(database: Database): <Result>(work: () => Result) => Result {
  const save = database.prepare("SAVEPOINT one");
  const keep = database.prepare("RELEASE one");
  const undo = database.prepare("ROLLBACK TO one");
  return (work) => {
    save.run();
    try {
      const result = work();
      keep.run();
      return result;
    } catch (error) {
      // SQLite ends the whole transaction by itself when the disk is full; then there is nothing left to undo.
      if (database.inTransaction) {
        undo.run();
        keep.run();
      }
      throw error;
    }
  };
}

/** Runs a batch in one transaction; settles every promise after its end is known. */
function createCommit(database: Database, explain: (error: unknown) => unknown) {
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  const rollback = database.prepare("ROLLBACK");
  return (batch: readonly Waiting[]): boolean => {
    let settled: readonly (() => void)[];
    try {
      begin.run();
      settled = batch.map((one) => one.run());
      commit.run();
    } catch (error) {
      if (database.inTransaction) rollback.run();
      for (const one of batch) one.fail(explain(error));
      return false;
    }
    for (const settle of settled) settle();
    return true;
  };
}

/** What a writer works with besides its database. */
export interface WriterOptions {
  /** Makes a raw failure one that a person understands. */
  readonly explain: (error: unknown) => unknown;
  /** Passes the time of a write that is in no hurry. */
  readonly clock: Pick<Clock, "sleep">;
}

/** The one writer of a database. */
export function createWriter(database: Database, { explain, clock }: WriterOptions): Writer {
  const guarded = createSavepoint(database);
  const commitAll = createCommit(database, explain);
  const state = { waiting: new Array<Waiting>(), commits: 0, closed: false, due: false };

  function flush(): void {
    const batch = state.waiting;
    state.waiting = [];
    state.due = false;
    if (batch.length > 0 && commitAll(batch)) state.commits += 1;
  }

  /** What waits since is not hurried by the time of those before it. */
  function flushOnly(batch: readonly Waiting[]): void {
    if (batch === state.waiting) flush();
  }

  function enqueue(one: Waiting, patient: boolean): void {
    const batch = state.waiting;
    batch.push(one);
    if (patient && batch.length === 1) void clock.sleep(patienceMs).then(() => flushOnly(batch));
    if (!patient && !state.due) {
      state.due = true;
      setImmediate(flush);
    }
  }

  function put<Result>(work: () => Result, patient: boolean): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (state.closed) throw new AppError("store.closed");
      const run = (): (() => void) => {
        try {
          const result = guarded(work);
          return () => resolve(result);
        } catch (error) {
          if (!database.inTransaction) throw error;
          return () => reject(explain(error));
        }
      };
      enqueue({ run, fail: reject }, patient);
    });
  }

  return {
    write: (work) => put(work, false),
    later: (work) => put(work, true),
    commits: () => state.commits,
    close() {
      state.closed = true;
      flush();
    },
  };
}
