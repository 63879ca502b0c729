import { calcPrice } from "@pydantic/genai-prices";
import { z } from "zod";

const wantedSchema = z.array(z.object({ id: z.string(), model: z.string(), url: z.string() }));

// The table is large and lives only as long as this process: what it says of the models in use goes out.
const wanted = wantedSchema.parse(JSON.parse(process.argv[2] ?? "[]"));
const found = wanted.flatMap(({ id, model, url: providerApiUrl }) => {
  const priced = calcPrice({ input_tokens: 1, output_tokens: 1 }, model, { providerApiUrl });
  return priced === null ? [] : [{ id, prices: priced.model_price }];
});
process.stdout.write(JSON.stringify(found));
