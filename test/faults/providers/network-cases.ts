import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";

import { reset } from "../../fakes/providers/perform.ts";
import { openProvider } from "../../fakes/providers/server.ts";
import { wordsOf } from "../../fakes/providers/speak.ts";
import type { Kind } from "../../fakes/providers/words.ts";
import { createSwiftClock } from "../../fakes/swift-clock.ts";

import type { FaultCase } from "./fault-case.ts";
import { answered, inAll, inEach, neverHalf, saw, sawNothing } from "./judge.ts";
import { answers, inTurn, openStage, refuses, type World } from "./stage.ts";

const second = 1000;
const outageMs = 60 * second;

async function flaps(world: World, kind: Kind): Promise<void> {
  const clock = createSwiftClock(20);
  world.onEnd(() => clock.close());
  const begun = clock.now();
  const since = (): number => clock.now() - begun;
  const busy = refuses(kind, 503, { message: "overloaded", code: "overloaded_error" });
  const asked: number[] = [];
  const { call } = await openStage(world, {
    kind,
    clock,
    primary() {
      asked.push(since());
      return since() < outageMs ? busy : answers(kind);
    },
  });
  let recoveredAt: number | undefined;
  for (let turn = 0; turn < 30; turn += 1) {
    await clock.sleep(turn * 4 * second - since());
    const outcome = await call();
    answered(outcome);
    if (outcome.deployment === "primary") {
      recoveredAt ??= since();
      break;
    }
  }
  const probes = asked.filter((at) => at < outageMs).length;
  assert.ok(probes <= 16, `${probes} requests in the outage`);
  const late = (recoveredAt ?? Infinity) - outageMs;
  assert.ok(late <= 30 * second, `the primary was used again after ${Math.round(late / second)} s`);
}

const paths: Readonly<Record<Kind, string>> = {
  ollama: "/api/chat",
  anthropic: "/v1/messages",
  openai: "/v1/chat/completions",
};

async function zipped(world: World, kind: Kind): Promise<void> {
  const text = answers(kind).steps.join("");
  const { call } = await openStage(world, {
    kind,
    backup: null,
    primary: () => ({
      headers: { "content-encoding": "gzip" },
      steps: [gzipSync(text)],
    }),
  });
  answered(await call(), "primary");
}

async function redirectedHome(world: World, kind: Kind): Promise<void> {
  const moved = { status: 307, headers: { location: paths[kind] }, steps: [] };
  const { call } = await openStage(world, { kind, primary: inTurn(moved, answers(kind)) });
  answered(await call(), "primary");
}

async function redirectedAway(world: World, kind: Kind): Promise<void> {
  const stranger = await openProvider({ kind, scripts: { other: () => answers(kind) } });
  world.onEnd(() => stranger.close());
  const location = `${stranger.origin}${paths[kind]}`;
  const { call } = await openStage(world, {
    kind,
    primary: () => ({ status: 307, headers: { location }, steps: [] }),
  });
  answered(await call(), "backup");
  sawNothing(stranger);
}

async function webPage(world: World, kind: Kind, status: number): Promise<void> {
  const page = `<!DOCTYPE html><html><body>${"<p>Bad gateway</p>".repeat(500)}</body></html>`;
  const reply = { status, headers: { "content-type": "text/html" }, steps: [page] };
  const both = await openStage(world, { kind, primary: () => reply });
  answered(await both.call(), "backup");
  const alone = await openStage(world, {
    kind,
    backup: null,
    primary: inTurn(reply, reply, reply, answers(kind)),
  });
  const { stop, events } = await alone.call();
  const sentence = stop?.failure?.sentence ?? "";
  assert.notEqual(stop?.failure?.code, "bug", "it is taken for a bug");
  assert.ok(sentence.length < 400, `a sentence of ${sentence.length} characters`);
  assert.ok(!JSON.stringify(events).includes("<p>Bad gateway</p><p>"), "the page is quoted");
}

async function deadConnection(world: World, kind: Kind): Promise<void> {
  const broken = { once: false };
  const { call, primary } = await openStage(world, {
    kind,
    primary({ reused }) {
      if (!reused || broken.once) return answers(kind);
      broken.once = true;
      return { steps: [reset] };
    },
  });
  for (let i = 0; i < 3; i += 1) {
    const outcome = await call();
    answered(outcome, "primary");
    assert.deepEqual(
      outcome.notices,
      [],
      "the person is told of a retry that is nobody's business",
    );
  }
  saw(primary.log, 3, 4);
}

async function proxyInStream(world: World): Promise<void> {
  // A proxy that turns one event into its own words in the middle.
  const words = wordsOf("openai");
  const steps = [words.start(), words.text("The "), "<html>502 Bad Gateway</html>\n\n"];
  const stage = await openStage(world, { kind: "openai", primary: () => ({ steps }) });
  neverHalf(await stage.call());
}

/** What lies between us and a provider. */
export const networkCases: readonly FaultCase[] = [
  {
    row: 37,
    failure: "the primary fails for 60 s",
    simulated: "503 for 60 s of a fast clock, a call every 4 s",
    required:
      "the fallback serves, probes are few, the primary is back within one cooldown of 30 s",
    run: (world) => inEach((kind) => flaps(world, kind)),
  },
  {
    row: 39,
    failure: "gzip, redirect, a page of a reverse proxy",
    simulated: "a packed stream, a 307 at home and to elsewhere, HTML with 200 and with 502",
    required: "read, followed at home only, or an error in a short sentence; nothing crashes",
    run: (world) =>
      inEach((kind) =>
        inAll([
          ["gzip", () => zipped(world, kind)],
          ["redirect at home", () => redirectedHome(world, kind)],
          ["redirect away", () => redirectedAway(world, kind)],
          ["page with 200", () => webPage(world, kind, 200)],
          ["page with 502", () => webPage(world, kind, 502)],
          [
            "page in a stream",
            () => (kind === "openai" ? proxyInStream(world) : Promise.resolve()),
          ],
        ]),
      ),
  },
  {
    row: 40,
    failure: "a kept connection is closed just as we write",
    simulated: "reset on the first request over a used connection",
    required: "one retry that nobody sees",
    run: (world) => inEach((kind) => deadConnection(world, kind)),
  },
];
