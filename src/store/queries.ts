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
export interface Query<Row> {
  compile(): CompiledQuery<Row>;
}

/** Stands for a value in the making of a fixed query. */
type ValueOf<Values> = <Key extends keyof Values & string>(key: Key) => Values[Key];

/** Builds typed queries and runs them at once on a connection. */
export interface Queries {
  readonly build: Kysely<Schema>;
  /**
   * A query that is made and compiled once, since that takes longer than running it: for what every message needs. Its text may
   * depend on its name alone; everything else is a value. What a partial index asks for (a state) is a literal in it: SQLite
   * prepares a statement anew each time that a value decides whether such an index serves (sqlite.org, "Partial Indexes").
   */
  readonly fixed: <Values extends object, Row>(
    name: string,
    values: Values,
    make: (value: ValueOf<Values>) => Query<Row>,
  ) => Query<Row>;
  readonly all: <Row>(query: Query<Row>) => Row[];
  readonly first: <Row>(query: Query<Row>) => Row | undefined;
  /** Runs a statement without a result, its texts redacted; gives the number of rows it changed. */
  readonly run: (query: Query<unknown>) => number;
}

const place = Symbol("place");

/** What stands for a value until it is known; kysely takes any object for a value. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it passes for a value of any column's type
function placeholder<Value>(key: string): Value;
function placeholder(key: string): unknown {
  return { [place]: key };
}

function keyOf(parameter: unknown): string | undefined {
  if (typeof parameter !== "object" || parameter === null || !(place in parameter))
    return undefined;
  return String(parameter[place]);
}

/** The columns of a row, each standing for its value. */
export function columns<Row extends object>(row: Row): Row;
export function columns(row: object): object {
  return Object.fromEntries(Object.keys(row).map((key) => [key, placeholder(key)]));
}

/** Fixed queries by name, compiled when they are first asked for. */
function createFixed(): Queries["fixed"] {
  const known = new Map<string, CompiledQuery>();
  return (name, values, make) => ({
    compile() {
      const compiled = known.get(name) ?? make(placeholder).compile();
      known.set(name, compiled);
      const of = new Map(Object.entries(values));
      const parameters = compiled.parameters.map((parameter) => {
        const key = keyOf(parameter);
        return key === undefined ? parameter : of.get(key);
      });
      return { ...compiled, parameters };
    },
  });
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
    fixed: createFixed(),
    all,
    first: (query) => all(query)[0],
    run(query) {
      const { sql, parameters } = query.compile();
      return prepared(sql).run(...parameters.map(clean)).changes;
    },
  };
}
