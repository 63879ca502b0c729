import { z } from "zod";

import { newId } from "#core/ids.ts";
import type { ToolCall, ToolSpec } from "#core/model.ts";

import { mismatch } from "./json-schema.ts";

const callSchema = z.union([
  z.strictObject({ name: z.string(), arguments: z.record(z.string(), z.unknown()) }),
  z.strictObject({ name: z.string(), parameters: z.record(z.string(), z.unknown()) }),
]);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The tool call that a small model wrote as its whole answer, bare or in a fence; undefined unless it is exactly a name that was
 * offered and an input that it takes.
 */
export function salvageCall(text: string, tools: readonly ToolSpec[]): ToolCall | undefined {
  if (tools.length === 0) return undefined;
  const fenced = /^```(?:json)?\s*([\s\S]*?)\s*```$/.exec(text.trim());
  const call = callSchema.safeParse(parsed(fenced?.[1] ?? text.trim())).data;
  const tool = tools.find(({ name }) => name === call?.name);
  if (call === undefined || tool === undefined) return undefined;
  const input = "arguments" in call ? call.arguments : call.parameters;
  if (mismatch(input, tool.schema) !== undefined) return undefined;
  return { id: newId(Date.now()), name: call.name, input };
}
