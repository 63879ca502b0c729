import { expect, test } from "vitest";

import { decideAgent, votesOn } from "../../src/agents/decide-agent.ts";
import type { ModelEvent, ModelRequest } from "../../src/core/model.ts";
import { makeAgent } from "../fakes/agents.ts";
import { createFakeClock } from "../fakes/clock.ts";
import { createSingleRouter } from "../fakes/router.ts";
import { makeTask } from "../fakes/task.ts";

test("a model that is asked whose words are says it for the task, and for none where there is none", async () => {
  const asked: ModelRequest[] = [];
  async function* stream(request: ModelRequest): AsyncGenerator<ModelEvent> {
    asked.push(request);
    yield { type: "text", text: '{"agent":"code"}' };
    yield { type: "stop", reason: "end" };
  }
  const limits = {
    contextTokens: 8192,
    promptBudget: 2000,
    tools: true,
    bare: false,
    maxAnswerTokens: 100,
  };
  const clock = createFakeClock();
  const router = createSingleRouter({ id: "only", trust: "local", limits, stream }, clock);
  const agents = [makeAgent({ name: "assistant" }), makeAgent({ name: "code" })];
  const deps = { router, clock, agents };
  const words = "why does this loop never come to its end";
  const { signal } = new AbortController();
  expect((await votesOn(deps, words, signal)).at(-1)).toMatchObject({ agent: "code" });
  const task = makeTask({ id: "T1", input: words, chosenBy: "default" });
  expect(await decideAgent(deps, task, signal)).toMatchObject({
    choice: { agent: "code" },
    usage: [{ taskId: "T1", seq: 0 }],
    routes: [{ taskId: "T1", seq: 0 }],
  });
  expect(asked.map(({ taskId }) => taskId)).toEqual([null, "T1"]);
});
