import { mkdirSync, statfsSync } from "node:fs";
import path from "node:path";

import Database from "better-sqlite3";

import type { AttachmentStore } from "#core/attachments.ts";
import { type Clock, systemClock } from "#core/clock.ts";
import { AppError } from "#core/errors.ts";
import type { ChatStore } from "#core/chat-store.ts";
import type { GoldLabels } from "#core/choice.ts";
import type { QuestionStore } from "#core/question-store.ts";
import type { Ledger } from "#core/ledger.ts";
import type { PeopleStore } from "#core/people.ts";
import type { PrivacyStore } from "#core/privacy.ts";
import type { Store } from "#core/store.ts";

import { createAttachments } from "./attachments.ts";
import { createChats } from "./chats.ts";
import { storeFailure } from "./failures.ts";
import { createInbox } from "./inbox.ts";
import { createLedger } from "./ledger.ts";
import { type Lock, takeLock } from "./lock.ts";
import { migrate } from "./migrations.ts";
import { networkDisk } from "./network-disk.ts";
import { createOutbox } from "./outbox.ts";
import { createFeedback } from "./feedback.ts";
import { createGoldLabels } from "./gold-labels.ts";
import { createPeopleStore } from "./people.ts";
import { createPrivacy } from "./privacy.ts";
import { createQueries } from "./queries.ts";
import { createQuestions } from "./questions.ts";
import { createRead, createReads } from "./reads.ts";
import { checkWritable } from "./unwritable.ts";
import { createWriter } from "./writer.ts";
import { createWrites } from "./writes.ts";

/** Where the data lies, and the time. */
export interface StoreOptions {
  /** The data directory; made where it is missing. */
  readonly folder: string;
  readonly clock: Clock;
  /** What every text goes through before it is written. */
  readonly redact?: (text: string) => string;
  /** The number of a folder's file system on Linux; statfs(2) tells it where nothing is given. */
  readonly diskType?: (folder: string) => number;
}

/** A store with what benches and tests look at. */
export interface SqliteStore
  extends
    Store,
    ChatStore,
    QuestionStore,
    PeopleStore,
    AttachmentStore,
    Ledger,
    PrivacyStore,
    GoldLabels {
  /** Commits so far. */
  commits(): number;
  /** What the connection's pragmas read. */
  settings(): {
    readonly journal: unknown;
    readonly synchronous: unknown;
    readonly temporary: unknown;
  };
}

/** A connection that keeps what it has committed through a power cut. */
function connect(file: string): Database.Database {
  const database = new Database(file, { timeout: 2000 });
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  if (process.platform === "darwin") {
    database.pragma("fullfsync = ON");
    database.pragma("checkpoint_fullfsync = ON");
  }
  database.pragma("foreign_keys = ON");
  database.pragma("trusted_schema = OFF");
  // What a savepoint may have to undo is kept in memory: a temporary file would hold people's words outside the data directory.
  database.pragma("temp_store = MEMORY");
  return database;
}

/** macOS and Windows number their file systems in ways of their own, so only Linux is asked. */
function typeOfDisk(folder: string): number {
  return process.platform === "linux" ? statfsSync(folder).type : 0;
}

function openDatabase({ folder, diskType = typeOfDisk }: StoreOptions): {
  readonly lock: Lock;
  readonly database: Database.Database;
} {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const kind = networkDisk(diskType(folder));
  if (kind !== undefined) throw new AppError("store.network-disk", { folder, kind });
  checkWritable(folder);
  const lock = takeLock(folder);
  try {
    const database = connect(path.join(folder, "agent.db"));
    migrate(database, folder);
    return { lock, database };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/**
 * Opens the store of a data directory and takes its lock. Rejects with `store.locked`, `store.newer`, `store.read-only`,
 * `store.network-disk`, `store.full` or `store.damaged`. Reads see every write that was committed before they were asked for.
 */
export function openStore(options: StoreOptions): Promise<SqliteStore> {
  const { folder, clock, redact = (text) => text } = options;
  const explain = (error: unknown): unknown => storeFailure(error, folder);
  try {
    const { lock, database } = openDatabase(options);
    const writer = createWriter(database, { explain, clock: systemClock });
    const queries = createQueries(database, redact);
    const commit = { ...queries, clock };
    const read = createRead(explain);
    return Promise.resolve({
      ...createReads(queries, read),
      ...createWrites(commit, writer, read),
      ...createInbox(commit, writer, read),
      ...createOutbox(commit, writer, read),
      ...createChats(commit, writer, read),
      ...createFeedback(commit, writer, read),
      ...createQuestions(commit, writer, read),
      ...createPeopleStore(commit, writer, read),
      ...createAttachments(commit, writer, read),
      ...createLedger(commit, writer, read),
      ...createPrivacy(commit, writer, read),
      ...createGoldLabels(commit, writer, read),
      commits: () => writer.commits(),
      settings: () => ({
        journal: database.pragma("journal_mode", { simple: true }),
        synchronous: database.pragma("synchronous", { simple: true }),
        temporary: database.pragma("temp_store", { simple: true }),
      }),
      close() {
        writer.close();
        if (database.open) {
          database.close();
          lock.release();
        }
        return Promise.resolve();
      },
    });
  } catch (error) {
    return Promise.reject(explain(error));
  }
}
