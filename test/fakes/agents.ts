import { type Agent, agentSchema } from "../../src/core/agent.ts";

/** A valid agent with these settings of its own. */
export function makeAgent(own: Partial<Agent> & { readonly name: string }): Agent {
  return agentSchema.parse({ description: "A test agent.", system_prompt: "Answer.", ...own });
}

/** A person who has set nothing. */
export const anyone = { timeZone: null, language: null } as const;
