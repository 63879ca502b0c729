import { tierNames, type TierName } from "#core/route.ts";
import type { ModelSettings } from "#core/settings.ts";
import type { Trust } from "#core/trust.ts";

import { trustOfDeployment } from "./candidates.ts";
import { isCloudName } from "./clients/cloud-name.ts";
import { modelsFileSchema } from "./model-rows.ts";
import { createPriceTable, type PriceDeps } from "./price-table.ts";

/** Something that one setting says and another makes impossible. */
interface Problem {
  readonly path: readonly (string | number)[];
  /** What is wrong and how it is mended. */
  readonly message: string;
}

type Rule = (settings: ModelSettings) => Problem[];

/** A deployment where a tier names it. */
interface Listed {
  readonly id: string;
  readonly tier: TierName;
  readonly path: readonly (string | number)[];
}

function listed({ tiers }: ModelSettings): Listed[] {
  return tierNames.flatMap((tier) =>
    tiers[tier].flatMap((entry, at): Listed[] => {
      const path = ["tiers", tier, at];
      if (typeof entry === "string") return [{ id: entry, tier, path }];
      return entry.map((id, within) => ({ id, tier, path: [...path, within] }));
    }),
  );
}

const unknownNames: Rule = (settings) => {
  const known = Object.keys(settings.deployments).join(", ");
  const unknown = listed(settings).filter(({ id }) => settings.deployments[id] === undefined);
  const hosts = Object.entries(settings.deployments).filter(
    ([, { host }]) => settings.hosts[host] === undefined,
  );
  const capped = Object.keys(settings.budgets.deployments).filter(
    (id) => settings.deployments[id] === undefined,
  );
  return [
    ...capped.map((id) => {
      const path = ["budgets", "deployments", id];
      return { path, message: `there is no deployment ${id}: use one of ${known}` };
    }),
    ...unknown.map(({ id, path }) => {
      return { path, message: `there is no deployment ${id}: use one of ${known}` };
    }),
    ...hosts.map(([id, { host }]) => {
      const names = Object.keys(settings.hosts).join(", ");
      return {
        path: ["deployments", id, "host"],
        message: `there is no host ${host}: use one of ${names}`,
      };
    }),
  ];
};

const emptyTiers: Rule = ({ tiers, use, cloud }) =>
  tierNames
    .filter((tier) => tiers[tier].length === 0)
    .filter((tier) => (tier === "cloud-smart" ? cloud !== "never" : use === null))
    .map((tier) => {
      return { path: ["tiers", tier], message: "is empty: name at least one deployment" };
    });

/** A plain name such as "nas" could point anywhere; who asks it is told so, and something else answers meanwhile. */
function isPlain({ hosts }: ModelSettings, name: string): boolean {
  const host = hosts[name];
  return host?.kind === "ollama" && !new URL(host.url).hostname.includes(".");
}

const cloudAtHome: Rule = (settings) =>
  listed(settings).flatMap(({ id, tier, path }) => {
    const deployment = settings.deployments[id];
    if (deployment === undefined || tier === "cloud-smart") return [];
    const isFar = trustOfDeployment(settings, deployment) === "cloud";
    const isCloud = isCloudName(deployment.model) || (isFar && !isPlain(settings, deployment.host));
    const message = `${id} runs in a cloud, and ${tier} is for what runs at home: name it in tiers.cloud-smart`;
    return isCloud ? [{ path, message }] : [];
  });

/** The label of what every prompt holds, our instructions and a person's words, that may not go so far. */
function shutFor({ policy }: ModelSettings, trust: Exclude<Trust, "platform">) {
  return (["personal", "public"] as const).find((label) => !policy[label].includes(trust));
}

const neverAllowed: Rule = (settings) => {
  const shut = listed(settings).flatMap(({ id, tier, path }) => {
    const deployment = settings.deployments[id];
    if (deployment === undefined || tier === "cloud-smart") return [];
    const trust = trustOfDeployment(settings, deployment);
    const label = shutFor(settings, trust);
    if (trust === "cloud" || label === undefined) return [];
    const message = `${id} is on a host of trust ${trust}, and policy.${label} lets nothing go there: add ${trust} to it, or take ${id} out`;
    return [{ path, message }];
  });
  if (settings.cloud === "never" || settings.policy.public.includes("cloud")) return shut;
  const message = `policy.public keeps even our own instructions from a cloud, so that none can ever answer: add cloud to it, or set cloud to never`;
  return [...shut, { path: ["policy", "public"], message }];
};

const impossibleChoice: Rule = (settings) => {
  const { use, cloud } = settings;
  const deployment = use === null ? undefined : settings.deployments[use];
  if (deployment === undefined || cloud !== "never") return [];
  const isFar = trustOfDeployment(settings, deployment) === "cloud";
  if (!isFar || isPlain(settings, deployment.host)) return [];
  const message = `${use} runs in a cloud, and cloud is never: choose one that runs at home, or set cloud to when-asked`;
  return [{ path: ["use"], message }];
};

const oneUrlTwice: Rule = ({ hosts }) => {
  const first = new Map<string, string>();
  return Object.entries(hosts).flatMap(([name, host]) => {
    if (host.kind === "scripted") return [];
    const url = new URL(host.url).href.replace(/\/$/, "");
    const other = first.get(url);
    first.set(url, other ?? name);
    const message = `is also that of hosts.${other}, and one machine counts once: take one of the two out`;
    return other === undefined ? [] : [{ path: ["hosts", name, "url"], message }];
  });
};

const rules: readonly Rule[] = [
  unknownNames,
  emptyTiers,
  cloudAtHome,
  neverAllowed,
  impossibleChoice,
  oneUrlTwice,
];

function hasCap({ budgets }: ModelSettings): boolean {
  const { day, month, deployments, agents, chats } = budgets;
  const own = [deployments, agents, chats].flatMap((caps) => Object.values(caps));
  return [{ day, month }, ...own].some((cap) => (cap.day ?? cap.month ?? null) !== null);
}

/** Clouds that may be asked and whose price nobody knows, where there is a budget to keep. */
async function unknownPrices(settings: ModelSettings, deps: PriceDeps): Promise<Problem[]> {
  if (settings.cloud === "never" || !hasCap(settings)) return [];
  const priceOf = createPriceTable(settings, deps);
  const clouds = listed(settings).filter(({ id, tier }) => {
    return tier === "cloud-smart" && settings.deployments[id] !== undefined;
  });
  const problems = clouds.map(async ({ id }): Promise<Problem[]> => {
    const deployment = settings.deployments[id];
    const isFar = deployment !== undefined && trustOfDeployment(settings, deployment) === "cloud";
    if (!isFar || (await priceOf(id)) !== undefined) return [];
    const message = `what it costs is not known, and there is a budget to keep: give it a price, such as price: { input: 3, output: 15 }`;
    return [{ path: ["deployments", id], message }];
  });
  return (await Promise.all(problems)).flat();
}

/** What the settings are held against. */
export interface RulesDeps extends PriceDeps {
  /** The names of the agents; asked for where a budget names one. */
  readonly agents: () => Promise<readonly string[]>;
}

/** Budgets of agents that are not there. */
async function unknownAgents({ budgets }: ModelSettings, deps: RulesDeps): Promise<Problem[]> {
  const capped = Object.keys(budgets.agents);
  if (capped.length === 0) return [];
  const known = await deps.agents();
  return capped
    .filter((name) => !known.includes(name))
    .map((name) => {
      const message = `there is no agent ${name}: use one of ${known.join(", ")}`;
      return { path: ["budgets", "agents", name], message };
    });
}

/** The schema of config/models.yaml with what its settings must say together. */
export function createModelsConfigSchema(deps: RulesDeps) {
  return modelsFileSchema.superRefine(async (settings, context) => {
    const found = [
      ...rules.flatMap((rule) => rule(settings)),
      ...(await unknownAgents(settings, deps)),
    ];
    const problems = found.length > 0 ? found : await unknownPrices(settings, deps);
    for (const { path, message } of problems) {
      context.addIssue({ code: "custom", path: [...path], message });
    }
  });
}
