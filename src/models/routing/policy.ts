import { owner } from "#core/person.ts";
import type { PrivacyRule } from "#core/privacy.ts";
import type { RouteAsk } from "#core/router.ts";
import type { ModelSettings } from "#core/settings.ts";
import type { Origin, Source, Trust } from "#core/trust.ts";

/** What decides how far the words of one request may go. */
export interface Standing {
  /** What the owner decided for this task. */
  readonly rules: ReadonlySet<PrivacyRule>;
  /** True where the conversation's own words may go to a cloud: the owner asked for one, or allowed it as a fallback. */
  readonly mayGo: boolean;
  /** True where others had a part in the conversation: whoever asks, it is not for one person to send it to a cloud. */
  readonly holdsOthers: boolean;
}

/** Why a request may not go to a host: the rule that is missing, in words that name it and say how it is made. */
export type Refusal = string;

/** What the owner's settings and this request allow together. */
export function standingOf(
  { cloud }: Pick<ModelSettings, "cloud">,
  ask: Pick<RouteAsk, "tier" | "forced" | "task" | "isShared" | "holdsOthers" | "priority">,
  rules: ReadonlySet<PrivacyRule>,
): Standing {
  const asked = ask.forced && ask.tier === "cloud-smart";
  const falls = cloud === "fallback" && !ask.isShared && ask.priority !== "background";
  const mayGo = cloud !== "never" && ask.task.personId === owner && (asked || falls);
  return { rules, mayGo, holdsOthers: ask.holdsOthers };
}

function wordsMissing({ cloud }: Pick<ModelSettings, "cloud">): Refusal {
  return cloud === "never"
    ? "nothing is sent to a cloud until you allow it: run agent config set models.cloud when-asked."
    : "it runs in a cloud, and only what its owner asks of a cloud goes there: add --tier cloud, or begin with @cloud.";
}

const keptHome =
  "the conversation holds what was asked to stay at home (local-only): begin a new conversation.";

const ownRule: Readonly<Record<string, Refusal>> = {
  memories:
    "the conversation holds what was remembered, and the rule memories is missing: run agent privacy allow memories (/privacy allow memories in a chat), or begin a new conversation.",
  files:
    "the conversation holds what is in files, and the rule files is missing: run agent privacy allow files (/privacy allow files in a chat), or begin a new conversation.",
};

function missingFor({ origin, label }: Source, { rules }: Standing): Refusal | undefined {
  if (label === "secret")
    return "the conversation holds something secret, which leaves for no cloud.";
  if (origin !== "memories" && origin !== "files") return undefined;
  return rules.has(origin) ? undefined : ownRule[origin];
}

/** What may not go to a cloud, whatever else may. */
export function withheldBy({ rules }: Standing): Origin[] {
  return (["memories", "files"] as const).filter((origin) => !rules.has(origin));
}

/**
 * Why what comes from these sources may not go to a host of this trust; undefined where it may. The matrix of the settings says how
 * far a label goes by itself; beyond it only the owner's rules let something go, and a cloud is never reached without one.
 */
export function refusalOf(
  settings: Pick<ModelSettings, "cloud" | "policy">,
  request: { readonly standing: Standing; readonly sources: readonly Source[] },
  trust: Exclude<Trust, "platform">,
): Refusal | undefined {
  const { standing, sources } = request;
  const beyond = sources.filter(({ label }) => !settings.policy[label].includes(trust));
  if (trust !== "cloud") {
    const [first] = beyond;
    if (first === undefined) return undefined;
    return `what is ${first.label} does not go to a host of trust ${trust}: change policy in config/models.local.yaml.`;
  }
  if (standing.rules.has("local-only")) {
    return "local-only holds for it: ask without --local-only, or end that mode with agent privacy local-only off (/privacy local-only off in a chat).";
  }
  if (!standing.mayGo) return wordsMissing(settings);
  if (sources.some(({ origin }) => origin === "kept")) return keptHome;
  if (standing.holdsOthers || sources.some(({ origin }) => origin === "others")) {
    return "others have a part in this conversation, and their words go to no cloud: begin a new conversation with /new, or ask in your private chat.";
  }
  return beyond.map((source) => missingFor(source, standing)).find((why) => why !== undefined);
}
