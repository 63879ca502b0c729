import { describe, expect, test } from "vitest";

import type { Attempt } from "../../src/core/route.ts";
import { modelSettingsSchema } from "../../src/core/settings.ts";
import type { Candidate } from "../../src/models/candidates.ts";
import { createDesk, type Measured } from "../../src/models/desk.ts";
import { createFakeClock } from "../fakes/clock.ts";
import { askWith } from "../fakes/router.ts";

const here = { kind: "scripted", script: "-", max_parallel: 1 };

function candidate(deployment: string, host: string): Candidate {
  const asked = () => Promise.reject(new Error("nothing is asked here"));
  return { deployment, host, tier: "local-fast", reason: "", trust: "lan", open: asked };
}

/** Two hosts that have the same two models. */
const [anna, ben] = [candidate("big on anna", "anna"), candidate("big on ben", "ben")];
const [small, other] = [candidate("small on anna", "anna"), candidate("small on ben", "ben")];

/** An answer to 800 tokens, which took so many milliseconds to read and as long to write. */
function answered(deployment: string, ms = 1000): Attempt {
  return {
    id: "1",
    deployment,
    tier: "local-fast",
    reason: "",
    outcome: "ok",
    startedAt: 0,
    queuedMs: 0,
    firstTokenMs: ms,
    durationMs: 2 * ms,
    promptTokens: 800,
    answerTokens: 100,
  };
}

function openDesk(ms: Readonly<Record<string, number>> = {}) {
  const desk = createDesk(
    modelSettingsSchema.parse({ hosts: { anna: here, ben: here }, tiers: {} }),
    createFakeClock(),
  );
  for (const { deployment } of [anna, ben, small, other]) {
    desk.speeds.observe(answered(deployment, ms[deployment]));
  }
  const of = (conversation: number) => askWith({ task: { ...askWith().task, conversation } });
  const learn = (one: Candidate, conversation: number, tried: Measured) =>
    desk.learn(one, of(conversation), tried);
  const answer = (one: Candidate, conversation: number) =>
    learn(one, conversation, { attempt: answered(one.deployment, ms[one.deployment]) });
  const seat = (conversation: number, candidates: readonly Candidate[]) =>
    desk.seatNow(of(conversation), candidates);
  /** Which one is taken, and left again. */
  const taken = (conversation: number, candidates: readonly Candidate[]) => {
    const mine = seat(conversation, candidates);
    mine?.leave();
    return mine?.candidate.deployment;
  };
  return { answer, learn, seat, taken, speeds: desk.speeds };
}

describe("of hosts that are free", () => {
  test("the one that is measured to be faster is taken, whatever the order", () => {
    const { taken } = openDesk({ "big on anna": 3000 });
    expect([taken(1, [anna, ben]), taken(1, [ben, anna])]).toEqual(["big on ben", "big on ben"]);
  });

  test("the one that knows the conversation is taken, as long as it is no slower in all", () => {
    const { answer, taken } = openDesk();
    answer(anna, 1);
    answer(ben, 2);
    expect([taken(1, [ben, anna]), taken(2, [anna, ben])]).toEqual(["big on anna", "big on ben"]);
    const slower = openDesk({ "big on anna": 3000 });
    slower.answer(anna, 1);
    expect(slower.taken(1, [anna, ben])).toBe("big on ben");
  });

  test("the one that has the model loaded is taken before one that would have to load it", () => {
    const { answer, taken } = openDesk();
    answer(small, 3);
    answer(ben, 4);
    expect([taken(1, [anna, ben]), taken(1, [other, small])]).toEqual([
      "big on ben",
      "small on anna",
    ]);
  });
});

test("a host is not taken for faster by a prompt whose beginning it knew, in the agent's next conversation, too", () => {
  const { answer, learn, speeds } = openDesk();
  const rate = () => speeds.of("big on anna").promptRate;
  answer(anna, 1);
  learn(anna, 1, { attempt: answered("big on anna", 100) });
  learn(anna, 2, { attempt: answered("big on anna", 100) });
  expect(rate()).toBe(800);
  learn(small, 1, { attempt: answered("small on anna", 1000) });
  learn(anna, 2, { attempt: answered("big on anna", 2000), promptMs: 500 });
  expect(rate()).toBe(800 + 0.3 * (1600 - 800));
});

test("the one that knows the conversation is not waited for while another is free", () => {
  const { answer, seat } = openDesk();
  answer(anna, 1);
  const first = seat(2, [anna]);
  expect(seat(1, [anna, ben])?.candidate.deployment).toBe("big on ben");
  first?.leave();
});
