import { parentPort, workerData } from "node:worker_threads";

import { calcPrice } from "@pydantic/genai-prices";
import { z } from "zod";

const wantedSchema = z.array(z.object({ id: z.string(), model: z.string(), url: z.string() }));

// The table is large and lives only as long as this thread: what it says of the models in use goes out.
const found = wantedSchema.parse(workerData).flatMap(({ id, model, url: providerApiUrl }) => {
  const priced = calcPrice({ input_tokens: 1, output_tokens: 1 }, model, { providerApiUrl });
  return priced === null ? [] : [{ id, prices: priced.model_price }];
});
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
parentPort?.postMessage(found);
