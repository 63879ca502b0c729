// The process of one training: it is told what to train on, writes the model and ends.
import { z } from "zod";

import { readLesson } from "./examples.ts";
import { trainModel } from "./train.ts";
import { writeModel } from "./write-model.ts";

const textSchema = z.object({ text: z.string(), agent: z.string() });

const trainingSchema = z.object({
  sources: z.object({
    agents: z.array(z.object({ name: z.string(), examples: z.array(z.string()) })),
    phrasings: z.string(),
    gold: z.array(textSchema),
  }),
  file: z.string(),
  key: z.string(),
});

async function train(message: unknown): Promise<void> {
  const { sources, file, key } = trainingSchema.parse(JSON.parse(String(message)));
  const { agents, examples } = await readLesson(sources);
  await writeModel(file, trainModel(agents, examples), key);
  process.disconnect();
}

process.once("message", (message) => {
  void train(message).catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  });
});
