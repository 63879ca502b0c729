import type { Database } from "better-sqlite3";
import {
  type CompiledQuery,
  DummyDriver,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";

import type { Schema } from "./schema.ts";

/** A query that kysely has typed and not run. */
interface Query<Row> {
  compile(): CompiledQuery<Row>;
}

/** Builds typed queries and runs them at once on a connection. */
export interface Queries {
  readonly build: Kysely<Schema>;
  readonly all: <Row>(query: Query<Row>) => Row[];
  readonly first: <Row>(query: Query<Row>) => Row | undefined;
  /** Runs a statement without a result, its texts redacted; gives the number of rows it changed. */
  readonly run: (query: Query<unknown>) => number;
}

/** kysely as the query builder alone, since its drivers are asynchronous and our savepoints are not. */
export function createQueries(database: Database, redact: (text: string) => string): Queries {
  const clean = (value: unknown): unknown => (typeof value === "string" ? redact(value) : value);
  const build = new Kysely<Schema>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
  const all = <Row>(query: Query<Row>): Row[] => {
    const { sql, parameters } = query.compile();
    return database.prepare<unknown[], Row>(sql).all(...parameters);
  };
  return {
    build,
    all,
    first: (query) => all(query)[0],
    run(query) {
      const { sql, parameters } = query.compile();
      return database.prepare(sql).run(...parameters.map(clean)).changes;
    },
  };
}
