import { writeFileSync } from "node:fs";
import path from "node:path";

import ts from "@typescript/typescript6";

const root = path.join(import.meta.dirname, "..");

/** Where the generated schema lies: one line for each method and each type. */
export const schemaFile = path.join(root, "test/fakes/telegram/schema.jsonl");

/** A type of the Bot API. */
type Type =
  | "string"
  | "number"
  | "boolean"
  | "true"
  | "file"
  | { readonly list: Type }
  | { readonly any: readonly Type[] }
  | { readonly one: readonly (string | number)[] }
  | { readonly ref: string };

interface Field {
  readonly type: Type;
  readonly optional?: true;
  /** How long a text may be, in characters or bytes; what a number may be. */
  readonly characters?: readonly [number, number];
  readonly bytes?: readonly [number, number];
  readonly between?: readonly [number, number];
}

type Fields = Record<string, Field>;

/** What is compiled: every method's parameters, with a mark where a file may be uploaded. */
const asked = `import type { Opts } from "@grammyjs/types";
interface UploadedFile { readonly isUploaded: unique symbol }
export declare const methods: Opts<UploadedFile>;
`;

function programOf(): { readonly checker: ts.TypeChecker; readonly file: ts.SourceFile } {
  const name = path.join(root, "scripts/asked-methods.ts");
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    strict: true,
    exactOptionalPropertyTypes: true,
    types: [],
    noEmit: true,
  };
  const host = ts.createCompilerHost(options);
  const withAsked: ts.CompilerHost = {
    ...host,
    fileExists: (wanted) => wanted === name || host.fileExists(wanted),
    getSourceFile: (wanted, ...rest) =>
      wanted === name
        ? ts.createSourceFile(name, asked, ts.ScriptTarget.ES2023)
        : host.getSourceFile(wanted, ...rest),
  };
  const program = ts.createProgram([name], options, withAsked);
  const file = program.getSourceFile(name);
  if (file === undefined) throw new Error("the asked methods were not compiled");
  return { checker: program.getTypeChecker(), file };
}

/** Limits that stand in a comment, as in "1-64 bytes" or "Values between 1-100". */
function limitsIn(comment: string): Partial<Field> {
  const length = /(\d+)-(\d+) (characters|bytes)/.exec(comment);
  const between = /between (\d+)(?:-| and )(\d+)/i.exec(comment);
  const range = (found: RegExpExecArray) => [Number(found[1]), Number(found[2])] as const;
  return {
    ...(length === null ? {} : { [length[3] ?? ""]: range(length) }),
    ...(between === null ? {} : { between: range(between) }),
  };
}

function createReader(checker: ts.TypeChecker, file: ts.SourceFile) {
  const names = new Map<ts.Type, string>();
  const types = new Map<string, Fields | Type>();

  /** A name of its own for every type, so that a generic one may come twice. */
  function nameOf(type: ts.Type, symbol: ts.Symbol): string {
    const given = checker.symbolToString(symbol);
    const taken = new Set(names.values());
    let name = given;
    for (let n = 2; taken.has(name); n += 1) name = `${given}${n}`;
    names.set(type, name);
    return name;
  }

  function reference(type: ts.Type, symbol: ts.Symbol, read: () => Fields | Type): Type {
    const known = names.get(type);
    if (known !== undefined) return { ref: known };
    const name = nameOf(type, symbol);
    types.set(name, read());
    return { ref: name };
  }

  function union(type: ts.UnionType): Type {
    const parts = type.types.filter((part) => (part.flags & ts.TypeFlags.Undefined) === 0);
    const literals = parts.flatMap((part) => (part.isLiteral() ? [part] : []));
    const values = literals.flatMap(({ value }) => (typeof value === "object" ? [] : [value]));
    const others = parts.filter((part) => !part.isLiteral()).map((part) => typeOf(part));
    if (others.filter((part) => part === "true").length === 2) return "boolean";
    const all = values.length === 0 ? others : [{ one: values }, ...others];
    const [first] = all;
    return all.length === 1 && first !== undefined ? first : { any: all };
  }

  /** What is no structure. */
  function plain(type: ts.Type): Type | undefined {
    const is = (flag: ts.TypeFlags): boolean => (type.flags & flag) !== 0;
    if (is(ts.TypeFlags.String)) return "string";
    if (is(ts.TypeFlags.Number)) return "number";
    if (is(ts.TypeFlags.BooleanLiteral)) return "true";
    if (is(ts.TypeFlags.Never)) return { any: [] };
    if (type.isLiteral() && typeof type.value !== "object") return { one: [type.value] };
    return type.symbol?.name === "UploadedFile" ? "file" : undefined;
  }

  function listed(type: ts.Type): Type | undefined {
    const items = checker.getIndexInfosOfType(type);
    const item = items.find(({ keyType }) => keyType.flags === ts.TypeFlags.Number);
    return item === undefined ? undefined : { list: typeOf(item.type) };
  }

  function typeOf(type: ts.Type): Type {
    const { aliasSymbol, symbol, flags } = type;
    if (type.isUnion()) {
      if (aliasSymbol === undefined || type.types.length < 3) return union(type);
      return reference(type, aliasSymbol, () => union(type));
    }
    const read = plain(type) ?? listed(type);
    if (read !== undefined) return read;
    if ((flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) === 0) {
      throw new Error(`a type that is not known here: ${checker.typeToString(type)}`);
    }
    return reference(type, aliasSymbol ?? symbol, () => fieldsOf(type));
  }

  function fieldsOf(type: ts.Type): Fields {
    const fields = checker.getPropertiesOfType(type).map((property) => {
      const comment = ts.displayPartsToString(property.getDocumentationComment(checker));
      const isOptional = (property.flags & ts.SymbolFlags.Optional) !== 0;
      const read = typeOf(checker.getTypeOfSymbolAtLocation(property, file));
      return [
        property.name,
        { type: read, ...(isOptional ? { optional: true as const } : {}), ...limitsIn(comment) },
      ] as const;
    });
    return Object.fromEntries(fields.filter(([, field]) => !isNever(field.type)));
  }

  /** What may never be given, as a file where none may be uploaded. */
  function isNever(type: Type): boolean {
    return typeof type === "object" && "any" in type && type.any.length === 0;
  }

  return { fieldsOf, types };
}

/** The schema of every method of the installed Bot API types, as the text of its file. */
export function generateSchema(): string {
  const { checker, file } = programOf();
  const [methods] = checker.getExportsOfModule(checker.getSymbolAtLocation(file) ?? fail());
  const all = checker.getTypeOfSymbolAtLocation(methods ?? fail(), file);
  const { fieldsOf, types } = createReader(checker, file);
  const lines = checker.getPropertiesOfType(all).map((method) => {
    const type = checker.getTypeOfSymbolAtLocation(method, file);
    return JSON.stringify({ method: method.name, fields: fieldsOf(type) });
  });
  for (const [type, read] of types) lines.push(JSON.stringify({ type, read }));
  return `${lines.join("\n")}\n`;
}

function fail(): never {
  throw new Error("the types of the Bot API have another shape than expected");
}

if (import.meta.main) writeFileSync(schemaFile, generateSchema());
