import { type Agent, defaultAgent } from "#core/agent.ts";
import type { StageVote } from "#core/choice.ts";
import { AppError } from "#core/errors.ts";
import { type TierName, tierNamed } from "#core/route.ts";

import { type OwnersWord, sameText } from "./corrections.ts";

/** The agent of a request, how it was chosen, and the words that are left for it. */
export interface Choice {
  readonly agent: Agent;
  /** Where the words ask for one. */
  readonly tier: TierName | undefined;
  readonly chosenBy: "mention" | "option" | "rule" | "default";
  readonly input: string;
}

/** The agent of this name; throws `usage.unknown-agent`. */
export function findAgent(agents: readonly Agent[], name: string): Agent {
  const agent = agents.find((candidate) => candidate.name === name);
  if (agent !== undefined) return agent;
  const known = agents.map((candidate) => candidate.name).join(", ");
  throw new AppError("usage.unknown-agent", { agent: name, known });
}

/** What the words alone are looked up in. */
export interface Known {
  readonly agents: readonly Agent[];
  /** True where no `@name` in the words is an order. */
  readonly quoted?: boolean | undefined;
  readonly ownersWord: OwnersWord;
  /** The one agent that has a text as its own example, as `examplesOf` finds it. */
  readonly exampleOf: (text: string) => Agent | undefined;
}

/** Finds the one agent that has a text as its own example; read once, since it is asked of every request. */
export function examplesOf(agents: readonly Agent[]): Known["exampleOf"] {
  const byText = new Map<string, Set<Agent>>();
  for (const agent of agents) {
    for (const example of agent.examples.map(sameText)) {
      byText.set(example, (byText.get(example) ?? new Set()).add(agent));
    }
  }
  return (text) => {
    const [agent, ...others] = byText.get(sameText(text)) ?? [];
    return others.length === 0 ? agent : undefined;
  };
}

/** The agent whose words these are by the owner's word, else as its own example, else by the rules that fit it alone. */
function ruling(
  words: string,
  { agents, ownersWord, exampleOf }: Known,
): { readonly agent?: Agent | undefined; readonly why: string } {
  if (sameText(words) !== "") {
    const told = ownersWord(words);
    const agent = agents.find(({ name }) => name === told);
    if (agent !== undefined) return { agent, why: "the owner said so" };
    const shown = exampleOf(words);
    if (shown !== undefined) return { agent: shown, why: `it is an example of ${shown.name}` };
  }
  const fitting = agents.filter(({ rules }) =>
    rules.some((rule) => new RegExp(rule, "i").test(words)),
  );
  if (fitting.length === 0) return { why: "no rule fits" };
  const why = `rules fit of ${fitting.map(({ name }) => name).join(", ")}`;
  return { agent: fitting.length === 1 ? fitting[0] : undefined, why };
}

/** What the stages say that need no more than the words themselves. */
export function plainVotes(words: string, known: Known): StageVote[] {
  const { agent, chosenBy, input } = chooseAgent(words, known, undefined);
  const isMentioned = chosenBy === "mention";
  const ruled = ruling(input, known);
  return [
    {
      stage: "mention",
      agent: isMentioned ? agent.name : null,
      why: isMentioned ? `it begins with @${agent.name}` : "it names no agent",
    },
    { stage: "rule", agent: ruled.agent?.name ?? null, why: ruled.why },
  ];
}

/** What the words begin with: `@` and an agent's name, a tier's, or both; and what is left of them. */
function mentionsOf(words: string, agents: readonly Agent[]) {
  const found: { agent: Agent | undefined; tier: TierName | undefined; input: string } = {
    agent: undefined,
    tier: undefined,
    input: words,
  };
  for (;;) {
    const [mention = "", word = ""] = /^@([a-z][a-z0-9-]*)\s+(?=\S)/i.exec(found.input) ?? [];
    const name = word.toLowerCase();
    const agent = found.agent ?? agents.find((candidate) => candidate.name === name);
    const tier = found.tier ?? (agent === found.agent ? tierNamed(name) : undefined);
    if (agent === found.agent && tier === found.tier) return found;
    Object.assign(found, { agent, tier, input: found.input.slice(mention.length) });
  }
}

/**
 * Chooses by `@name` at the start of the words, then by the owner's option, then by the owner's word about this text, then by the one
 * agent that has it as an example, then by the one whose rules fit, then the default; `@cloud`, `@smart` and `@fast` there ask for a tier.
 * An `@word` that names neither is left in the words. Throws `usage.unknown-agent` for an unknown option.
 */
export function chooseAgent(words: string, known: Known, option: string | undefined): Choice {
  const { agents, quoted = false } = known;
  const nothing = { agent: undefined, tier: undefined, input: words };
  const { agent: mentioned, tier, input } = quoted ? nothing : mentionsOf(words, agents);
  if (mentioned !== undefined) return { agent: mentioned, chosenBy: "mention", tier, input };
  if (option !== undefined) {
    return { agent: findAgent(agents, option), chosenBy: "option", tier, input };
  }
  const { agent: ruled } = ruling(input, known);
  if (ruled !== undefined) return { agent: ruled, chosenBy: "rule", tier, input };
  return { agent: findAgent(agents, defaultAgent), chosenBy: "default", tier, input };
}
