import { type Agent, defaultAgent } from "#core/agent.ts";
import type { StageVote } from "#core/choice.ts";
import { AppError } from "#core/errors.ts";

/** The agent of a request, how it was chosen, and the words that are left for it. */
export interface Choice {
  readonly agent: Agent;
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

function byRule(agents: readonly Agent[], input: string): Agent | undefined {
  const fitting = agents.filter((agent) =>
    agent.rules.some((rule) => new RegExp(rule, "i").test(input)),
  );
  return fitting.length === 1 ? fitting[0] : undefined;
}

/** What the stages say that need no more than the words themselves. */
export function plainVotes(words: string, agents: readonly Agent[]): StageVote[] {
  const { agent, chosenBy } = chooseAgent(words, agents, undefined);
  const fitting = agents.filter(({ rules }) =>
    rules.some((rule) => new RegExp(rule, "i").test(words)),
  );
  const ruled = fitting.map(({ name }) => name).join(", ");
  return [
    {
      stage: "mention",
      agent: chosenBy === "mention" ? agent.name : null,
      why: chosenBy === "mention" ? `it begins with @${agent.name}` : "it names no agent",
    },
    {
      stage: "rule",
      agent: fitting.length === 1 ? ruled : null,
      why: fitting.length === 0 ? "no rule fits" : `rules fit of ${ruled}`,
    },
  ];
}

/**
 * Chooses by `@name` at the start of the words, then by the owner's option, then by the one agent whose rules fit, then the
 * default. An `@word` that names no agent is left in the words. Throws `usage.unknown-agent` for an unknown option.
 */
export function chooseAgent(
  words: string,
  agents: readonly Agent[],
  option: string | undefined,
): Choice {
  const mention = /^@([a-z][a-z0-9-]*)\s+(?=\S)/i.exec(words);
  const mentioned = agents.find((agent) => agent.name === mention?.[1]?.toLowerCase());
  if (mention !== null && mentioned !== undefined) {
    return { agent: mentioned, chosenBy: "mention", input: words.slice(mention[0].length) };
  }
  if (option !== undefined)
    return { agent: findAgent(agents, option), chosenBy: "option", input: words };
  const ruled = byRule(agents, words);
  if (ruled !== undefined) return { agent: ruled, chosenBy: "rule", input: words };
  return { agent: findAgent(agents, defaultAgent), chosenBy: "default", input: words };
}
