import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

import { openDeaf } from "../../fakes/providers/deaf.ts";
import { openServer } from "../../fakes/open-server.ts";
import { cut, hang, reset } from "../../fakes/providers/perform.ts";
import type { Kind } from "../../fakes/providers/words.ts";

import type { FaultCase } from "./fault-case.ts";
import { tells } from "./harness.ts";
import { answered, inAll, inEach, leftSoon, neverHalf, saw } from "./judge.ts";
import { answers, begins, openStage, silent, type World } from "./stage.ts";

async function hostOff(world: World, kind: Kind): Promise<void> {
  const off = await openServer(() => {});
  off.close();
  const contacts: (string | undefined)[] = [];
  const { call } = await openStage(world, { kind, primary: () => silent, origin: off.url });
  const first = await call();
  answered(first, "backup");
  assert.ok(first.ms < 1000, `it took ${Math.round(first.ms)} ms`);
  // The host is back, and whoever still holds the circuit open does not notice at once.
  const port = Number(new URL(off.url).port);
  const back = await openServer(({ url }, response) => {
    contacts.push(url);
    response.destroy();
  }, port);
  world.onEnd(() => back.close());
  answered(await call(), "backup");
  const chats = contacts.filter((url) => /chat|messages/.test(url ?? ""));
  assert.equal(chats.length, 0, "the circuit did not open after one failure");
}

async function hostAsleep(world: World, kind: Kind): Promise<void> {
  const deaf = await openDeaf();
  world.onEnd(() => deaf.close());
  const { call } = await openStage(world, { kind, primary: () => silent, origin: deaf.origin });
  const outcome = await call();
  answered(outcome, "backup");
  // 2 to 3 s is what people get; one second is set here.
  assert.ok(outcome.ms < 3000, `the connect timeout came after ${Math.round(outcome.ms)} ms`);
}

async function silence(world: World, kind: Kind): Promise<void> {
  const { call, primary } = await openStage(world, { kind, primary: () => silent });
  const outcome = await call();
  answered(outcome, "backup");
  assert.ok(outcome.ms > 900 && outcome.ms < 3000, `it took ${Math.round(outcome.ms)} ms`);
  saw(primary.log, 1, 1);
  await pause(50);
  leftSoon(primary.log, primary.log[0]?.at ?? 0, 2000);
}

/** Needs of the port: an event "loading" before the first token, and a deadline of its own for a load that is known. */
async function coldLoad(world: World): Promise<void> {
  const loaded = { names: [] as string[] };
  const { call, primary } = await openStage(world, {
    kind: "ollama",
    host: { load_seconds: 10 },
    ollama: { loaded: () => loaded.names },
    primary: ({ attempt }) => ({ steps: [attempt === 1 ? 2000 : 0, ...answers("ollama").steps] }),
  });
  const outcome = await call();
  answered(outcome, "primary");
  saw(primary.log, 1, 1);
  assert.ok(tells(outcome.events, "loading"), "nothing tells that the model is loading");
}

async function slowThoughLoaded(world: World): Promise<void> {
  const { call } = await openStage(world, {
    kind: "ollama",
    primary: () => ({ steps: [4000, ...answers("ollama").steps] }),
  });
  const outcome = await call();
  answered(outcome, "backup");
  assert.ok(outcome.ms < 3500, `it took ${Math.round(outcome.ms)} ms`);
}

async function stall(world: World, kind: Kind, shown: number): Promise<void> {
  const primary = () => begins(kind, shown, "", hang);
  const stage = await openStage(world, { kind, primary });
  const outcome = await stage.call();
  neverHalf(outcome);
  if (shown === 0) answered(outcome, "backup");
  assert.ok(outcome.ms < 4000, `it took ${Math.round(outcome.ms)} ms`);
  await pause(50);
  for (const seen of stage.primary.log) leftSoon([seen], seen.at, 2500);
}

async function cutOff(world: World, kind: Kind, shown: number): Promise<void> {
  // The pause lets the words arrive: a reset takes what is still under way with it.
  const primary = () => begins(kind, shown, "", 30, reset);
  const stage = await openStage(world, { kind, primary });
  const outcome = await stage.call();
  neverHalf(outcome);
  answered(outcome);
  saw(stage.primary.log, 1, 3);
}

async function cleanEnd(world: World, kind: Kind): Promise<void> {
  const alone = { kind, primary: () => begins(kind, 5), backup: null };
  const first = await openStage(world, alone);
  const outcome = await first.call();
  neverHalf(outcome);
  assert.equal(outcome.code, "model.truncated", `the failure is ${outcome.code}`);
  saw(first.primary.log, 1, 3);
  const sudden = await openStage(world, { ...alone, primary: () => begins(kind, 5, cut) });
  neverHalf(await sudden.call());
}

async function endWithoutDone(world: World): Promise<void> {
  const steps = answers("openai").steps.map((step) => step.replace("data: [DONE]\n\n", ""));
  const primary = () => ({ steps });
  const { call, primary: provider } = await openStage(world, { kind: "openai", primary });
  answered(await call(), "primary");
  saw(provider.log, 1, 1);
}

/** What goes wrong with the connection and with its end. */
export const connectionCases: readonly FaultCase[] = [
  {
    row: 1,
    failure: "host off",
    simulated: "closed port",
    required: "the next host answers within 1 s, and the circuit opens after one failure",
    run: (world) => inEach((kind) => hostOff(world, kind)),
  },
  {
    row: 2,
    failure: "host asleep, packets dropped",
    simulated: "a listener whose backlog is full",
    required: "connect timeout, then the next host",
    run: (world) => inEach((kind) => hostAsleep(world, kind)),
  },
  {
    row: 3,
    failure: "accepts, then silence",
    simulated: "the request is read and never answered",
    required:
      "deadline for the first token, one attempt, the next host, and the silent one is left",
    run: (world) => inEach((kind) => silence(world, kind)),
  },
  {
    row: 4,
    failure: "slow first token, cold load",
    simulated: "head after 2 s with no model loaded; the same with the model loaded",
    required: "a known load has a longer deadline and is told; otherwise the next host",
    run: (world) =>
      inAll([
        ["cold", () => coldLoad(world)],
        ["loaded", () => slowThoughLoaded(world)],
      ]),
  },
  {
    row: 5,
    failure: "stall",
    simulated: "a few words, then silence on an open connection; the same before any word",
    required: "idle deadline, never half a success; restarted elsewhere where nothing was shown",
    run: (world) =>
      inEach((kind) =>
        inAll([
          ["after words", () => stall(world, kind, 5)],
          ["before words", () => stall(world, kind, 0)],
        ]),
      ),
  },
  {
    row: 6,
    failure: "cut in mid-stream",
    simulated: "reset after some words; the same after the head alone",
    required: "never half a success; the answer is started again, bounded",
    run: (world) =>
      inEach((kind) =>
        inAll([
          ["after words", () => cutOff(world, kind, 5)],
          ["before words", () => cutOff(world, kind, 0)],
        ]),
      ),
  },
  {
    row: 7,
    failure: "clean end without done, message_stop or [DONE]",
    simulated: "the body ends early, with and without HTTP's own end",
    required: "truncated; a success only where a finish reason was seen",
    run: (world) =>
      inAll([
        ["early end", () => inEach((kind) => cleanEnd(world, kind))],
        ["finish without [DONE]", () => endWithoutDone(world)],
      ]),
  },
];
