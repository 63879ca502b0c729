import type { z } from "zod";

import { AppError } from "#core/errors.ts";
import { nearest } from "#core/nearest.ts";

/** The failure of a setting, in the file that it is in. */
export function invalid(file: string, problem: string, cause?: unknown): AppError {
  return new AppError("config.invalid", { file, problem }, { cause });
}

/** An object with keys. */
export type Data = Readonly<Record<string, unknown>>;

/** True for an object with keys. */
export function isMapping(value: unknown): value is Data {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The keys that a schema knows at a path; none where it knows no fixed ones. */
async function keysAt(schema: z.ZodType, at: readonly PropertyKey[]): Promise<string[]> {
  const { toJSONSchema } = await import("zod");
  let node: unknown = toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  for (const key of at) {
    if (!isMapping(node)) return [];
    const properties = isMapping(node["properties"]) ? node["properties"] : {};
    node = properties[String(key)] ?? node["additionalProperties"] ?? node["items"];
  }
  const options = isMapping(node) ? [node, ...asList(node["oneOf"]), ...asList(node["anyOf"])] : [];
  return options.flatMap((option) =>
    isMapping(option) && isMapping(option["properties"]) ? Object.keys(option["properties"]) : [],
  );
}

function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

const kinds: Readonly<Record<string, string>> = {
  number: "a number",
  int: "a whole number",
  string: "text",
  boolean: "true or false",
  array: "a list",
  object: "keys with values",
  record: "keys with values",
};

/** What there are several of in a value. */
const counted: Readonly<Record<string, string>> = { string: "characters", array: "entries" };

/** A list in words: "a, b or c". */
function anyOf(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

type SizeIssue = z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig;

/** What a size must be, of a number or of what is counted: "at least 3 characters". */
function sizeText(issue: SizeIssue): string {
  const isSmall = issue.code === "too_small";
  const limit = String(isSmall ? issue.minimum : issue.maximum);
  const { origin, inclusive = true } = issue;
  if (!inclusive) return `must be ${isSmall ? "more" : "less"} than ${limit}`;
  if (isSmall && limit === "1" && counted[origin] !== undefined) return "must not be empty";
  const text = `${isSmall ? "at least" : "at most"} ${limit}`;
  const what = counted[origin];
  return what === undefined ? `must be ${text}` : `must have ${text} ${what}`;
}

/** What the schema says of a value, in words for people where it has none of its own. */
function plainMessage(issue: z.core.$ZodIssue): string {
  const { message } = issue;
  if (!/^(Invalid|Too) /.test(message)) return message;
  if (message.endsWith("received undefined")) return "is missing";
  if (issue.code === "invalid_type") return `must be ${kinds[issue.expected] ?? issue.expected}`;
  if (issue.code === "invalid_value") return `must be ${anyOf(issue.values.map(String))}`;
  return issue.code === "too_small" || issue.code === "too_big" ? sizeText(issue) : message;
}

/** What is wrong with a value, for the person who wrote it; a misspelt key with the one that was meant. */
async function problemOf(schema: z.ZodType, issue: z.core.$ZodIssue): Promise<string> {
  const at = issue.path.join(".");
  if (issue.code !== "unrecognized_keys") {
    // What is wrong with a key itself is said by an issue within.
    const inner = issue.code === "invalid_key" ? issue.issues[0] : undefined;
    const message = plainMessage(inner ?? issue);
    const link = /^(must|is)\b/.test(message) ? " " : ": ";
    return at === "" ? `${message}.` : `the key ${at}${link}${message}.`;
  }
  const [word = ""] = issue.keys;
  const known = await keysAt(schema, issue.path);
  const near = nearest(word, known);
  const fix = near === undefined ? `use one of ${known.join(", ")}` : `did you mean ${near}?`;
  return `there is no key ${at === "" ? "" : `${at}.`}${word}: ${fix}${near === undefined ? "." : ""}`;
}

/** Which file a wrong value is in, with its line where that is known. */
export type Blame = (at: readonly PropertyKey[]) => string;

/** The data as the schema gives them; rejects with `config.invalid`, which names the file, the line and the key. */
export async function check<Schema extends z.ZodType>(
  blame: Blame,
  schema: Schema,
  data: unknown,
): Promise<z.output<Schema>> {
  const result = await schema.safeParseAsync(data);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue === undefined) throw invalid(blame([]), "is not valid.", result.error);
  const at = issue.code === "unrecognized_keys" ? [...issue.path, ...issue.keys] : issue.path;
  throw invalid(blame(at), await problemOf(schema, issue), result.error);
}
