import type { IncomingMessage } from "node:http";

import type { Upload } from "./methods/context.ts";
import { bad } from "./refusal.ts";
import type { MethodSchema } from "./schema.ts";

/** A call's parameters, and the files that came with it. */
export interface Body {
  readonly input: Readonly<Record<string, unknown>>;
  readonly uploads: ReadonlyMap<string, Upload>;
}

const noUploads: ReadonlyMap<string, Upload> = new Map();

async function bytesOf(request: IncomingMessage): Promise<Buffer<ArrayBuffer>> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function ofJson(text: string): Body {
  const input: unknown = text === "" ? {} : JSON.parse(text);
  if (!isRecord(input)) throw bad("object expected as a request");
  return { input, uploads: noUploads };
}

/** A form's value in the type that the method has it in; text that cannot be read stays text. */
function valueOf(text: string, isStructured: boolean): unknown {
  if (!isStructured) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function ofForm(
  body: Buffer<ArrayBuffer>,
  type: string,
  schema: MethodSchema,
): Promise<Body> {
  const form = await new Response(body, { headers: { "content-type": type } }).formData();
  const input: Record<string, unknown> = {};
  const uploads = new Map<string, Upload>();
  for (const [name, value] of form) {
    if (typeof value === "string") {
      input[name] = valueOf(value, schema.structured.has(name));
    } else {
      const bytes = new Uint8Array(await value.arrayBuffer());
      uploads.set(name, { name: value.name, mime: value.type, bytes });
    }
  }
  return { input, uploads };
}

/** Reads the body of a call, as JSON or as a form with files. */
export async function readBody(request: IncomingMessage, schema: MethodSchema): Promise<Body> {
  const type = request.headers["content-type"] ?? "application/json";
  const body = await bytesOf(request);
  if (type.startsWith("multipart/form-data")) return ofForm(body, type, schema);
  return ofJson(body.toString());
}
