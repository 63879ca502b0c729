import type { Database } from "better-sqlite3";

import { AppError } from "#core/errors.ts";

import { earlierMigrations } from "./earlier-migrations.ts";

/** Each entry takes the schema from its index to the next version; entries are only ever added. */
const migrations: readonly string[] = [
  ...earlierMigrations,
  `
  ALTER TABLE usage ADD COLUMN attempt_id TEXT;
  ALTER TABLE usage ADD COLUMN queued_ms INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE usage ADD COLUMN cache_written_tokens INTEGER;
  ALTER TABLE usage ADD COLUMN priced TEXT;
  ALTER TABLE usage ADD COLUMN estimated INTEGER NOT NULL DEFAULT 0 CHECK (estimated IN (0, 1));
  CREATE UNIQUE INDEX usage_attempt ON usage (attempt_id);
  CREATE INDEX usage_cost ON usage (started_at) WHERE cost_usd > 0;

  ALTER TABLE receipts ADD COLUMN head_bytes_in INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE receipts RENAME COLUMN bytes_in TO body_bytes_in;
  ALTER TABLE receipts ADD COLUMN sha256_out TEXT;
  ALTER TABLE receipts ADD COLUMN sha256_in TEXT;
  ALTER TABLE receipts ADD COLUMN labels TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(labels));
  ALTER TABLE receipts ADD COLUMN redactions INTEGER NOT NULL DEFAULT 0;

  CREATE TABLE privacy_rules (
    chat_id TEXT NOT NULL,
    rule TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (chat_id, rule)
  ) STRICT, WITHOUT ROWID;
  ALTER TABLE tasks ADD COLUMN local_only INTEGER NOT NULL DEFAULT 0 CHECK (local_only IN (0, 1));

  CREATE TABLE gold_labels (
    text TEXT PRIMARY KEY,
    agent TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE routes (
    id INTEGER PRIMARY KEY,
    task_id TEXT NOT NULL REFERENCES tasks (id),
    seq INTEGER NOT NULL,
    body TEXT NOT NULL CHECK (json_valid(body))
  ) STRICT;
  CREATE INDEX routes_task ON routes (task_id);

  ALTER TABLE messages ADD COLUMN sources TEXT NOT NULL DEFAULT '[{"origin":"words","label":"personal"}]'
    CHECK (json_valid(sources));
  ALTER TABLE summaries ADD COLUMN sources TEXT NOT NULL
    DEFAULT '[{"origin":"words","label":"personal"},{"origin":"memories","label":"personal"}]' CHECK (json_valid(sources));
  -- What earlier answers were made from is not known.
  UPDATE messages SET sources =
    '[{"origin":"words","label":"personal"},{"origin":"memories","label":"personal"},{"origin":"files","label":"personal"}]'
    WHERE role = 'assistant';
  `,
];

/** Brings the schema to the newest version, each step in a transaction of its own; throws `store.newer` before any change. */
export function migrate(database: Database, folder: string): void {
  const found = Number(database.pragma("user_version", { simple: true }));
  if (found > migrations.length) {
    throw new AppError("store.newer", { folder, found, known: migrations.length });
  }
  migrations.slice(found).forEach((statements, index) => {
    database.transaction(() => {
      database.exec(statements);
      database.pragma(`user_version = ${found + index + 1}`);
    })();
  });
}
