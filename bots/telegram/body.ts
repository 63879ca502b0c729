import { z } from "zod";

import type { Part } from "#core/chat.ts";

const button = z.object({
  id: z.string(),
  label: z.string(),
  tone: z.enum(["good", "bad"]).exactOptional(),
});

const buttons = z.array(z.array(button).readonly()).readonly().exactOptional();

const place = { offset: z.int(), length: z.int() };

const entity = z.discriminatedUnion("type", [
  z.object({
    type: z.enum(["bold", "italic", "strikethrough", "code", "blockquote"]),
    ...place,
  }),
  z.object({ type: z.literal("pre"), language: z.string().exactOptional(), ...place }),
  z.object({ type: z.literal("text_link"), url: z.string(), ...place }),
]);

const bodySchema = z.discriminatedUnion("form", [
  /** Markdown that `rich.ts` wrote: read again it is the tree, from which the simpler forms are made. */
  z.object({ form: z.literal("rich"), markdown: z.string(), buttons }),
  z.object({
    form: z.literal("text"),
    text: z.string(),
    entities: z.array(entity).readonly(),
    buttons,
  }),
  z.object({
    form: z.literal("file"),
    name: z.string(),
    /** Its content, or the hash under which it is stored. */
    content: z.union([z.object({ text: z.string() }), z.object({ sha256: z.string() })]),
    photo: z.boolean(),
    caption: z.string().exactOptional(),
    buttons,
  }),
]);

/** One message in the form in which it is sent. */
export type Body = z.infer<typeof bodySchema>;

/** A body as the outbox stores it. */
export function toPart(body: Body): Part {
  return { body: JSON.stringify(body) };
}

/** The body of a part that `toPart` made. */
export function bodyOf(part: Part): Body {
  return bodySchema.parse(JSON.parse(part.body));
}
