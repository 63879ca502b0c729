import { setImmediate } from "node:timers/promises";

import { describe, expect, test } from "vitest";

import { AppError } from "../../src/core/errors.ts";
import type { RoutedEvent } from "../../src/core/router.ts";
import { sourceOf } from "../../src/core/trust.ts";
import { createFakeClock } from "../fakes/clock.ts";
import { attemptsOf, createFleet, endOf, outcomesOf, type Reply } from "../fakes/fleet.ts";
import { askWith, freePurse } from "../fakes/router.ts";

const here = { kind: "scripted", script: "-", max_parallel: 1 };
const settings = {
  hosts: { a: here },
  deployments: { first: { host: "a", model: "m" } },
  tiers: { "local-fast": ["first"] },
};
const hanging: Reply = { text: ["So", " far"], hangs: true };

/** A request whose events are looked at while it goes on. */
function begin(fleet: ReturnType<typeof createFleet>, own: Parameters<typeof askWith>[0] = {}) {
  const stop = new AbortController();
  const events: RoutedEvent[] = [];
  const over = (async () => {
    for await (const event of fleet.router.stream(askWith(own), stop.signal)) events.push(event);
  })();
  const types = () => events.map(({ type }) => type);
  return { stop, events, over, types };
}

function open(replies: readonly Reply[], own: Partial<Parameters<typeof createFleet>[0]> = {}) {
  const clock = createFakeClock();
  return { clock, ...createFleet({ clock, settings, replies: { first: replies }, ...own }) };
}

const waits = (events: readonly RoutedEvent[]) =>
  events.flatMap((event) => (event.type === "wait" ? [event.ahead] : []));

describe("a request that is stopped", () => {
  test("while it waits for its host is over at once and was never sent", async () => {
    const fleet = open([hanging, { text: ["Well."] }]);
    const busy = begin(fleet);
    await expect.poll(busy.types).toContain("text");
    const waiting = begin(fleet);
    await expect.poll(() => waits(waiting.events)).toEqual([0]);
    waiting.stop.abort();
    await waiting.over;
    expect([endOf(waiting.events), attemptsOf(waiting.events), fleet.asked.length]).toEqual([
      "aborted",
      [],
      1,
    ]);
    busy.stop.abort();
    await busy.over;
    expect(outcomesOf(await fleet.run())).toEqual(["first: ok"]);
  });

  test("while its model is made ready is over with that", async () => {
    const opened = Promise.withResolvers<void>();
    const opening = () => opened.promise;
    const fleet = open([{ text: ["Well."] }], { opening });
    const request = begin(fleet);
    await setImmediate();
    request.stop.abort();
    opened.reject(new AppError("download.failed", { name: "m", problem: "stopped" }));
    await request.over;
    expect([endOf(request.events), outcomesOf(request.events), fleet.asked.length]).toEqual([
      "aborted",
      ["first: aborted"],
      0,
    ]);
  });

  test("while it is answered ends the model's work, is on record, and frees the slot", async () => {
    const fleet = open([hanging, { text: ["Well."] }]);
    const request = begin(fleet);
    await expect.poll(request.types).toContain("text");
    request.stop.abort();
    await request.over;
    expect([endOf(request.events), outcomesOf(request.events)]).toEqual([
      "aborted",
      ["first: aborted"],
    ]);
    expect(fleet.asked[0]?.signal.aborted).toBe(true);
    expect(outcomesOf(await fleet.run())).toEqual(["first: ok"]);
  });

  test("while it pauses before another try is over at once and tries no more", async () => {
    const fleet = open([{ fails: "model.rate-limit", retryMs: 9000 }, { text: ["Well."] }]);
    const request = begin(fleet);
    await expect.poll(request.types).toContain("attempt");
    request.stop.abort();
    await request.over;
    expect([endOf(request.events), fleet.asked.length]).toEqual(["aborted", 1]);
    expect(outcomesOf(await fleet.run())).toEqual(["first: ok"]);
  });

  test("before it began is over and was never sent", async () => {
    const fleet = open([{ text: ["Well."] }]);
    const events = await fleet.run({}, AbortSignal.abort());
    expect([endOf(events), fleet.asked.length]).toEqual(["aborted", 0]);
  });
});

describe("who stops listening", () => {
  async function leaveAt(fleet: ReturnType<typeof open>, type: RoutedEvent["type"]): Promise<void> {
    for await (const event of fleet.router.stream(askWith(), new AbortController().signal)) {
      if (event.type === type) break;
    }
  }

  test.each(["chosen", "text", "attempt", "route"] as const)(
    "at %s frees the host for the next one",
    async (type) => {
      const fleet = open([{ text: ["a", "b"] }]);
      await leaveAt(fleet, type);
      expect(outcomesOf(await fleet.run())).toEqual(["first: ok"]);
    },
  );

  test("while waiting takes no slot later", async () => {
    const fleet = open([hanging, { text: ["Well."] }]);
    const busy = begin(fleet);
    await expect.poll(busy.types).toContain("text");
    await leaveAt(fleet, "wait");
    busy.stop.abort();
    await busy.over;
    expect([outcomesOf(await fleet.run()), fleet.asked.length]).toEqual([["first: ok"], 2]);
  });
});

test("who stops listening just when a slot came gives it back", async () => {
  const fleet = open([hanging, { text: ["Well."] }]);
  const busy = begin(fleet);
  await expect.poll(busy.types).toContain("text");
  for await (const event of fleet.router.stream(askWith(), new AbortController().signal)) {
    if (event.type !== "wait") continue;
    busy.stop.abort();
    await busy.over;
    break;
  }
  expect([outcomesOf(await fleet.run()), fleet.asked.length]).toEqual([["first: ok"], 2]);
});

describe("a request that waits", () => {
  test("is told how many go before it, whenever that is less, and then answered", async () => {
    const fleet = open([hanging, hanging, { text: ["Well."] }]);
    const requests = [begin(fleet)];
    await expect.poll(() => requests[0]?.types()).toContain("text");
    requests.push(begin(fleet), begin(fleet));
    await expect.poll(() => requests.map(({ events }) => waits(events))).toEqual([[], [0], [1]]);
    fleet.clock.pass(700);
    requests[0]?.stop.abort();
    await expect.poll(() => waits(requests[2]?.events ?? [])).toEqual([1, 0]);
    fleet.clock.pass(800);
    requests[1]?.stop.abort();
    await requests[2]?.over;
    const [attempt] = attemptsOf(requests[2]?.events ?? []);
    expect(attempt).toMatchObject({
      outcome: "ok",
      queuedMs: 1500,
      durationMs: 0,
      firstTokenMs: 0,
    });
    expect(requests[2]?.types()).toEqual([
      "wait",
      "wait",
      "chosen",
      "text",
      "attempt",
      "route",
      "stop",
    ]);
  });

  test("lets a person go before work that nobody waits for", async () => {
    const fleet = open([hanging, { text: ["Well."] }]);
    const busy = begin(fleet);
    await expect.poll(busy.types).toContain("text");
    const background = begin(fleet, { priority: "background" });
    await expect.poll(() => waits(background.events)).toEqual([0]);
    const person = begin(fleet);
    await expect.poll(() => waits(background.events)).toEqual([0, 1]);
    busy.stop.abort();
    await Promise.all([person.over, background.over]);
    expect(waits(person.events)).toEqual([0]);
    expect(waits(background.events)).toEqual([0, 1, 0]);
  });
});

describe("an answer that takes too long in all", () => {
  test("is ended at its host's limit, and the next deployment begins anew", async () => {
    const server = { kind: "openai", url: "http://127.0.0.1:9/v1", total_seconds: 60 };
    const deployments = { first: { host: "s", model: "m" }, second: { host: "a", model: "m" } };
    const fleet = open([hanging], {
      settings: {
        hosts: { s: server, a: here },
        deployments,
        tiers: { "local-fast": ["first", "second"] },
      },
    });
    const request = begin(fleet);
    await expect.poll(request.types).toContain("text");
    fleet.clock.pass(59_999);
    await setImmediate();
    expect(request.types()).not.toContain("attempt");
    fleet.clock.pass(1);
    await request.over;
    expect(outcomesOf(request.events)).toEqual(["first: model.timeout", "second: ok"]);
    expect(request.events.findLast((event) => event.type === "chosen")).toMatchObject({
      notice: expect.stringContaining("said nothing for 60 seconds"),
    });
  });
});

describe("what is told of a request", () => {
  test("a model that read only the end of what it was sent is noticed", async () => {
    const text = "word ".repeat(3000);
    const build = () => ({ messages: [{ role: "user" as const, text }], tools: [], maxTokens: 9 });
    const cut = open([{ text: ["Well."], usage: { promptTokens: 512, answerTokens: 2 } }]);
    const notices = (await cut.run({ build })).filter((event) => event.type === "notice");
    expect(notices).toEqual([
      { type: "notice", text: expect.stringMatching(/^first .*512 of about 4\d\d\d tokens/) },
    ]);
    const whole = open([{ text: ["Well."], usage: { promptTokens: 3000, answerTokens: 2 } }]);
    expect((await whole.run({ build })).filter((event) => event.type === "notice")).toEqual([]);
  });

  test("the route names what was asked and every candidate with its reason, once, right before the stop", async () => {
    const many = {
      hosts: { a: here, b: here, far: { kind: "anthropic" } },
      deployments: {
        first: { host: "a", model: "m" },
        second: { host: "b", model: "m" },
        third: { host: "b", model: "n" },
        sonnet: { host: "far", model: "claude-sonnet-5" },
      },
      tiers: { "local-fast": ["sonnet", "none", "first", ["second", "third"]], "local-smart": [] },
    };
    const fleet = open([{ fails: "model.unavailable" }], { settings: many });
    const sources = [sourceOf("words"), sourceOf("memories")];
    await fleet.run();
    const events = await fleet.run({ sources, avoid: "second" });
    expect(events.filter(({ type }) => type === "route")).toHaveLength(1);
    expect(events.at(-2)).toEqual({
      type: "route",
      route: {
        constraints: [
          "tier local-fast, the agent's own",
          "the prompt holds words (personal), memories (personal)",
          "priority interactive",
          "not second, if another answers",
        ],
        candidates: [
          {
            deployment: "sonnet",
            tier: "local-fast",
            reason: expect.stringContaining("nothing is sent to a cloud"),
            usable: false,
          },
          {
            deployment: "none",
            tier: "local-fast",
            reason: expect.stringContaining("not among deployments"),
            usable: false,
          },
          {
            deployment: "first",
            tier: "local-fast",
            reason: expect.stringContaining("is tried again in 2 s"),
            usable: false,
          },
          { deployment: "third", tier: "local-fast", reason: "listed in local-fast", usable: true },
        ],
      },
    });
    expect(outcomesOf(events)).toEqual(["third: ok"]);
  });

  test("a deployment whose budget is spent is passed over with that as its reason", async () => {
    const spent = new AppError("model.over-budget", { name: "today", cap: "1.00", spent: "$1.00" });
    const purse = { ...freePurse, spentCap: () => Promise.resolve(spent) };
    const far = {
      cloud: "when-asked",
      hosts: { far: { kind: "anthropic" } },
      deployments: { sonnet: { host: "far", model: "claude-sonnet-5" } },
      tiers: { "cloud-smart": ["sonnet"] },
    };
    const fleet = open([], { purse, settings: far });
    const events = await fleet.run({ tier: "cloud-smart", forced: true });
    expect([endOf(events), events.map(({ type }) => type)]).toEqual([
      "model.over-budget",
      ["route", "stop"],
    ]);
    expect(events[0]).toMatchObject({
      route: { candidates: [{ usable: false, reason: spent.message }] },
    });
  });

  test("each attempt has an id of its own, and the times of its own", async () => {
    const fleet = open([{ text: ["a"] }]);
    const attempts = [...attemptsOf(await fleet.run()), ...attemptsOf(await fleet.run())];
    expect(new Set(attempts.map(({ id }) => id)).size).toBe(2);
    expect(attempts[0]).toMatchObject({
      tier: "local-fast",
      queuedMs: 0,
      durationMs: 0,
      costUsd: 0,
    });
  });
});
