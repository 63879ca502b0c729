import { type Agent, defaultAgent } from "#core/agent.ts";
import type { Clock } from "#core/clock.ts";
import { reasonOf } from "#core/errors.ts";
import type { Log } from "#core/log.ts";
import { owner } from "#core/person.ts";
import type { RouteAsk, Router } from "#core/router.ts";
import type { Store } from "#core/store.ts";
import type { Tool } from "#core/tool.ts";
import { sourceOf } from "#core/trust.ts";

import { buildPrompt, toolSpec } from "./prompt.ts";

/** What idle work needs. */
export interface IdleDeps {
  readonly store: Pick<Store, "person">;
  readonly router: Router;
  readonly agents: readonly Agent[];
  readonly tools: readonly Tool[];
  readonly clock: Clock;
  readonly log: Log;
}

const everyMs = 60_000;

/** The beginning of every prompt of the agent that answers most. */
async function prefixOf({ store, agents, tools }: IdleDeps): Promise<RouteAsk | undefined> {
  const agent = agents.find(({ name }) => name === defaultAgent);
  if (agent === undefined) return undefined;
  const person = await store.person(owner);
  // The prompt says what the person has set.
  const isTold = person.timeZone !== null || person.language !== null;
  const own = tools.filter(({ name }) => agent.tools.includes(name)).map(toolSpec);
  const parts = { agent, specs: own, turns: [], person, input: "", steps: [] };
  return {
    tier: agent.model_tier,
    forced: false,
    task: { id: null, chatId: "", personId: owner, conversation: 0, agent: agent.name },
    seq: 0,
    priority: "background",
    isShared: false,
    holdsOthers: false,
    sources: [sourceOf("instructions"), ...(isTold ? [sourceOf("words")] : [])],
    build(limits) {
      const { prompt } = buildPrompt(parts, limits);
      return { ...prompt, messages: prompt.messages.filter(({ role }) => role === "system") };
    },
  };
}

async function workOnce(deps: IdleDeps, signal: AbortSignal): Promise<void> {
  const ask = await prefixOf(deps);
  const done = ask === undefined ? "nothing" : await deps.router.warm(ask, signal);
  if (done !== "nothing") deps.log.info("made ready in idle time", { what: done });
}

/** Looks once a minute for what may be done while nobody waits; ends with the signal. Never rejects. */
export async function workWhenIdle(deps: IdleDeps, signal: AbortSignal): Promise<void> {
  const { clock, log } = deps;
  for (;;) {
    // Not at once: a program that starts has better things to do.
    await clock.sleep(everyMs, signal);
    if (signal.aborted) return;
    await workOnce(deps, signal).catch((error: unknown) => {
      log.warn("nothing was made ready in idle time", { reason: reasonOf(error) });
    });
  }
}
