import { modelContract } from "../contract/model.ts";
import { basicCases, serviceCases } from "../contract/model-cases.ts";
import { providers } from "../contract/providers.ts";

for (const provider of providers) {
  modelContract(provider.name, (caseName) => provider.open(caseName), [
    ...basicCases,
    ...serviceCases,
  ]);
}
