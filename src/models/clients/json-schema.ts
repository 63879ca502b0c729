import { z } from "zod";

type JsonSchema = Readonly<Record<string, unknown>>;

/** Why a value does not satisfy a JSON Schema; undefined where it does. */
export function mismatch(value: unknown, schema: JsonSchema): string | undefined {
  const checked = z.fromJSONSchema(schema).safeParse(value);
  return checked.success ? undefined : z.prettifyError(checked.error);
}

/** Why a text is no JSON that satisfies the schema; undefined where it is. */
export function textMismatch(text: string, schema: JsonSchema): string | undefined {
  try {
    return mismatch(JSON.parse(text), schema);
  } catch {
    return "it is not JSON";
  }
}
