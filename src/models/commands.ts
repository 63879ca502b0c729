import { AppError } from "#core/errors.ts";
import type { ListedModel, Models } from "#core/models.ts";
import type { Person } from "#core/person.ts";
import { tierOf } from "#core/route.ts";
import type { Router } from "#core/router.ts";

import type { ModelSources } from "./sources.ts";

async function embeddedModels({ settings, embedded }: ModelSources): Promise<ListedModel[]> {
  const local = await embedded.local();
  const here = local.map(({ name, sizeBytes, row }) => {
    return { name, sizeBytes, tools: row?.tools ?? false, where: "embedded", here: true };
  });
  const missing = Object.entries(settings.embedded).filter(
    ([name]) => !local.some((file) => file.name === name),
  );
  const offered = missing.map(([name, row]) => {
    const sizeBytes = row.files[0]?.size ?? 0;
    return { name, sizeBytes, tools: row.tools, where: "embedded", here: false };
  });
  return [...here, ...offered];
}

async function hostModels({ hosts }: ModelSources): Promise<ListedModel[]> {
  const lists = [...hosts].map(async ([where, host]) => {
    const installed = await host.installed().catch(() => []);
    return installed
      .filter((model) => !model.remote)
      .map(({ name, sizeBytes, tools }) => ({ name, sizeBytes, tools, where, here: true }));
  });
  return (await Promise.all(lists)).flat();
}

/** The commands over the sources of models. */
export function createModelCommands(sources: ModelSources, router: Router, person: Person): Models {
  return {
    list: async () => [...(await hostModels(sources)), ...(await embeddedModels(sources))],
    explain: (tier) => router.explain(tierOf(tier)),
    async pull(name, signal) {
      if (name in sources.settings.embedded) {
        await sources.embedded.pull(name, { signal, taskId: null });
        return;
      }
      const [host] = sources.hosts.values();
      if (host === undefined) {
        const known = Object.keys(sources.settings.embedded).join(", ");
        throw new AppError("usage.unknown-model", { model: name, known });
      }
      for await (const progress of host.pull(name, signal)) person.progress(name, progress);
      sources.changed();
    },
  };
}
