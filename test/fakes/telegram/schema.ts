import { readFileSync } from "node:fs";
import path from "node:path";

import { z } from "zod";

/** Why a value is not what the Bot API takes. */
export interface Misfit {
  readonly kind: "unknown" | "missing" | "type" | "limit";
  /** Where it is, as in `reply_markup.inline_keyboard.0.0`. */
  readonly at: string;
}

/** Looks at a value; undefined is fine. */
type Check = (value: unknown, at: string) => Misfit | undefined;

const typeSchema = z.union([
  z.enum(["string", "number", "boolean", "true", "file"]),
  z.object({
    get list() {
      return typeSchema;
    },
  }),
  z.object({
    get any() {
      return z.array(typeSchema);
    },
  }),
  z.object({ one: z.array(z.union([z.string(), z.number()])) }),
  z.object({ ref: z.string() }),
]);
const range = z.tuple([z.number(), z.number()]);
const fieldSchema = z.object({
  type: typeSchema,
  optional: z.literal(true).optional(),
  characters: range.optional(),
  bytes: range.optional(),
  between: range.optional(),
});
const fieldsSchema = z.record(z.string(), fieldSchema);
const lineSchema = z.union([
  z.object({ method: z.string(), fields: fieldsSchema }),
  z.object({ type: z.string(), read: z.union([typeSchema, fieldsSchema]) }),
]);

type Type = z.infer<typeof typeSchema>;
type Field = z.infer<typeof fieldSchema>;
type Fields = z.infer<typeof fieldsSchema>;

const isFloat =
  /latitude|longitude|accuracy|shift|scale|percentage|angle|temperature|timestamp|speed/;
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const misfit = (kind: Misfit["kind"], at: string): Misfit => ({ kind, at });

const plain: Readonly<Record<"string" | "number" | "boolean" | "true" | "file", Check>> = {
  string: (value, at) => (typeof value === "string" ? undefined : misfit("type", at)),
  number: (value, at) =>
    typeof value === "number" && (Number.isSafeInteger(value) || isFloat.test(at))
      ? undefined
      : misfit("type", at),
  boolean: (value, at) => (typeof value === "boolean" ? undefined : misfit("type", at)),
  true: (value, at) => (typeof value === "boolean" ? undefined : misfit("type", at)),
  // An upload is named in the body; its part is looked for when the file is.
  file: (value, at) =>
    typeof value === "string" && value.startsWith("attach://") ? undefined : misfit("type", at),
};

function outside(value: number, [least, most]: readonly [number, number]): boolean {
  return value < least || value > most;
}

/** A check of limits; undefined where there are none. */
function limitOf({ characters, bytes, between }: Field): Check | undefined {
  if (characters !== undefined) {
    return (value, at) =>
      typeof value === "string" && outside(value.length, characters)
        ? misfit("limit", at)
        : undefined;
  }
  if (bytes !== undefined) {
    return (value, at) =>
      typeof value === "string" && outside(Buffer.byteLength(value), bytes)
        ? misfit("limit", at)
        : undefined;
  }
  if (between !== undefined) {
    return (value, at) =>
      typeof value === "number" && outside(value, between) ? misfit("limit", at) : undefined;
  }
  return undefined;
}

function createCompiler(types: ReadonlyMap<string, Type | Fields>) {
  const known = new Map<string, Check>();

  function list(item: Check): Check {
    return (value, at) => {
      if (!Array.isArray(value)) return misfit("type", at);
      for (const [i, one] of value.entries()) {
        const found = item(one, `${at}.${i}`);
        if (found !== undefined) return found;
      }
      return undefined;
    };
  }

  /** The misfit that lies deepest is the one that was meant. */
  function anyOf(checks: readonly Check[]): Check {
    return (value, at) => {
      let deepest: Misfit | undefined;
      for (const check of checks) {
        const found = check(value, at);
        if (found === undefined) return undefined;
        const isBetter = found.at.length > (deepest?.at.length ?? 0) || found.kind === "limit";
        if (isBetter) deepest = found;
      }
      return deepest ?? misfit("type", at);
    };
  }

  function object(fields: Fields): Check {
    const checks = new Map<string, Check>();
    const needed: string[] = [];
    for (const [name, field] of Object.entries(fields)) {
      const type = compile(field.type);
      const limit = limitOf(field);
      checks.set(
        name,
        limit === undefined ? type : (value, at) => type(value, at) ?? limit(value, at),
      );
      if (field.optional !== true) needed.push(name);
    }
    return (value, at) => {
      if (!isRecord(value)) return misfit("type", at);
      const prefix = at === "" ? "" : `${at}.`;
      for (const name in value) {
        const check = checks.get(name);
        if (check === undefined) return misfit("unknown", prefix + name);
        const given = value[name];
        const found = given === undefined ? undefined : check(given, prefix + name);
        if (found !== undefined) return found;
      }
      const missing = needed.find((name) => value[name] === undefined);
      return missing === undefined ? undefined : misfit("missing", prefix + missing);
    };
  }

  /** Made when it is first asked for: types refer to each other. */
  function reference(name: string): Check {
    return (value, at) => {
      let check = known.get(name);
      if (check === undefined) {
        const type = types.get(name);
        if (type === undefined) throw new Error(`the schema has no type ${name}`);
        check = isType(type) ? compile(type) : object(type);
        known.set(name, check);
      }
      return check(value, at);
    };
  }

  function compile(type: Type): Check {
    if (typeof type === "string") return plain[type];
    if ("list" in type) return list(compile(type.list));
    if ("any" in type) return anyOf(type.any.map(compile));
    if ("ref" in type) return reference(type.ref);
    const values = new Set<unknown>(type.one);
    return (value, at) => (values.has(value) ? undefined : misfit("type", at));
  }

  return { object };
}

function isType(read: Type | Fields): read is Type {
  return typeSchema.safeParse(read).success;
}

/** A method of the Bot API as its types describe it. */
export interface MethodSchema {
  /** Undefined for an input that fits. */
  readonly check: (input: unknown) => Misfit | undefined;
  /** Parameters that come as text in a form, and as something else in JSON. */
  readonly structured: ReadonlySet<string>;
}

function holdsText(type: Type): boolean {
  if (typeof type === "string") return type === "string" || type === "file";
  if ("any" in type) return type.any.some(holdsText);
  return "one" in type && type.one.some((value) => typeof value === "string");
}

/** Every method of the installed Bot API types. */
export function readSchema(): ReadonlyMap<string, MethodSchema> {
  const text = readFileSync(path.join(import.meta.dirname, "schema.jsonl"), "utf8");
  const lines = text.trimEnd().split("\n");
  const read = lines.map((line) => lineSchema.parse(JSON.parse(line)));
  const types = new Map(read.flatMap((line) => ("type" in line ? [[line.type, line.read]] : [])));
  const { object } = createCompiler(types);
  const methods = new Map<string, MethodSchema>();
  for (const line of read) {
    if (!("method" in line)) continue;
    const check = object(line.fields);
    const names = Object.entries(line.fields).filter(([, { type }]) => !holdsText(type));
    methods.set(line.method, {
      check: (input) => check(input, ""),
      structured: new Set(names.map(([name]) => name)),
    });
  }
  return methods;
}
