import type { Database, Statement } from "better-sqlite3";
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

/** The rows of a statement, of the type that kysely derived from its query. */
function rowsOf<Row>(statement: Statement, parameters: readonly unknown[]): Row[];
function rowsOf(statement: Statement, parameters: readonly unknown[]): unknown[] {
  return statement.all(...parameters);
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
  // Values are parameters, so the program has few different statements; preparing each time costs more than running.
  const statements = new Map<string, Statement>();
  const prepared = (sql: string): Statement => {
    const statement = statements.get(sql) ?? database.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  const all = <Row>(query: Query<Row>): Row[] => {
    const { sql, parameters } = query.compile();
    return rowsOf<Row>(prepared(sql), parameters);
  };
  return {
    build,
    all,
    first: (query) => all(query)[0],
    run(query) {
      const { sql, parameters } = query.compile();
      return prepared(sql).run(...parameters.map(clean)).changes;
    },
  };
}
