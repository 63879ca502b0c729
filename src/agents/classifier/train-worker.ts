import { workerData } from "node:worker_threads";

import { readLesson } from "./examples.ts";
import { writeModel } from "./write-model.ts";
import { trainModel } from "./train.ts";
import type { Training } from "./training.ts";

const { sources, file, key }: Training = workerData;
const { agents, examples } = await readLesson(sources);
await writeModel(file, trainModel(agents, examples), key);
