import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { ModelLimits } from "../../src/core/model.ts";
import type { PrivacyRule } from "../../src/core/privacy.ts";
import type { RouteAsk } from "../../src/core/router.ts";
import { type Origin, sourceOf } from "../../src/core/trust.ts";
import type { Purse } from "../../src/models/purse.ts";
import { createHurriedClock } from "../fakes/clock.ts";
import {
  answerOf,
  createFleet,
  endOf,
  outcomesOf,
  type Reply,
  sentenceOf,
} from "../fakes/fleet.ts";
import { askWith, freePurse } from "../fakes/router.ts";

const off: readonly Reply[] = [{ fails: "model.unavailable" }];
const words = sourceOf("words");

interface Setup {
  readonly cloud?: "never" | "when-asked" | "fallback";
  readonly replies?: Readonly<Record<string, readonly Reply[]>>;
  readonly rules?: readonly PrivacyRule[];
  readonly purse?: Purse;
}

/** One model here and two in a cloud. */
function open({ cloud = "fallback", replies = {}, rules = [], purse = freePurse }: Setup = {}) {
  return createFleet({
    clock: createHurriedClock(),
    purse,
    rules,
    replies,
    settings: {
      cloud,
      hosts: {
        here: { kind: "scripted", script: "-" },
        far: { kind: "anthropic" },
        farther: { kind: "openai", url: "https://api.example.com/v1" },
      },
      deployments: {
        local: { host: "here", model: "m" },
        sonnet: { host: "far", model: "claude-sonnet-5" },
        gpt: { host: "farther", model: "gpt" },
      },
      tiers: { "local-fast": ["local"], "cloud-smart": ["sonnet", "gpt"] },
    },
  });
}

const asked = { tier: "cloud-smart", forced: true } as const;

describe("a cloud as a fallback", () => {
  test("is not what an answer at home is asked for again from, where that can be had again", async () => {
    const ask = { avoid: "local" };
    expect(outcomesOf(await open().run(ask))).toEqual(["local: ok"]);
    const events = await open({ replies: { local: off } }).run(ask);
    expect(outcomesOf(events)).toEqual(["local: model.unavailable", "sonnet: ok"]);
    const again = await open({ replies: { local: off } }).run({ avoid: "sonnet" });
    expect(outcomesOf(again)).toEqual(["local: model.unavailable", "gpt: ok"]);
  });

  test("answers when nothing here does, and says so", async () => {
    const events = await open({ replies: { local: off } }).run();
    expect(outcomesOf(events)).toEqual(["local: model.unavailable", "sonnet: ok"]);
    expect(events.findLast((event) => event.type === "chosen")).toMatchObject({
      deployment: "sonnet",
      tier: "cloud-smart",
      notice: expect.stringMatching(/does not answer .* sonnet is tried instead\.$/),
    });
  });

  test("is not asked while something here answers", async () => {
    expect(outcomesOf(await open().run())).toEqual(["local: ok"]);
  });

  test.each<[string, Setup["cloud"], Partial<RouteAsk>]>([
    ["where no cloud is allowed", "never", {}],
    ["where it has to be asked for", "when-asked", {}],
    ["for a group", "fallback", { isShared: true }],
    ["for work that nobody waits for", "fallback", { priority: "background" }],
    ["for somebody else", "fallback", { task: { ...askWith().task, personId: "bob" } }],
    ["for what was remembered", "fallback", { sources: [words, sourceOf("memories")] }],
    ["for what is in files", "fallback", { sources: [words, sourceOf("files")] }],
    ["for a secret", "fallback", { sources: [{ origin: "words", label: "secret" }] }],
  ])("is asked nothing %s", async (_, cloud = "fallback", own) => {
    const fleet = open({ cloud, replies: { local: off } });
    const events = await fleet.run(own);
    expect([endOf(events), fleet.asked.map(({ deployment }) => deployment)]).toEqual([
      "model.unavailable",
      ["local"],
    ]);
  });

  test("is asked nothing in local-only mode, also by who asks for it", async () => {
    const fleet = open({ replies: { local: off }, rules: ["local-only", "memories", "files"] });
    expect(endOf(await fleet.run())).toBe("model.unavailable");
    const events = await fleet.run(asked);
    expect([endOf(events), sentenceOf(events)]).toEqual([
      "model.refused",
      expect.stringContaining("local-only holds for it"),
    ]);
    expect(fleet.asked.map(({ deployment }) => deployment)).toEqual(["local"]);
  });

  test("gets what was remembered where the owner allowed that", async () => {
    const fleet = open({ replies: { local: off }, rules: ["memories"] });
    const sources = [words, sourceOf("memories")];
    expect(outcomesOf(await fleet.run({ sources })).at(-1)).toBe("sonnet: ok");
  });

  test("that is refused is named with the rule that is missing", async () => {
    const fleet = open();
    const sources = [words, sourceOf("files")];
    const events = await fleet.run({ ...asked, sources });
    expect([endOf(events), fleet.asked]).toEqual(["model.refused", []]);
    expect(sentenceOf(events)).toMatch(/^sonnet: .*rule files is missing/);
  });

  test("no request ever reaches a cloud that its settings and sources do not allow, whatever fails", async () => {
    const reply = fc.constantFrom<Reply>(
      { text: ["ok"] },
      { fails: "model.unavailable" },
      { fails: "model.failed" },
      { fails: "model.context-overflow" },
      { text: ["", ""] },
    );
    const anyAsk = fc.record({
      forced: fc.boolean(),
      tier: fc.constantFrom("local-fast" as const, "cloud-smart" as const),
      isShared: fc.boolean(),
      holdsOthers: fc.boolean(),
      priority: fc.constantFrom("interactive" as const, "followUp" as const, "background" as const),
      sources: fc
        .subarray(["words", "memories", "files", "web"] as const)
        .map((all) => all.map(sourceOf)),
    });
    const anyRules = fc.subarray(["local-only", "memories", "files"] as const);
    const anyCloud = fc.constantFrom("never" as const, "when-asked" as const, "fallback" as const);
    await fc.assert(
      fc.asyncProperty(
        anyAsk,
        anyRules,
        anyCloud,
        fc.array(reply, { minLength: 1, maxLength: 3 }),
        async (own, rules, cloud, local) => {
          const fleet = open({ cloud, rules, replies: { local, sonnet: local } });
          await fleet.run(own);
          const went = fleet.asked.filter(({ deployment }) => deployment !== "local");
          const isAsked = own.forced && own.tier === "cloud-smart";
          const falls = cloud === "fallback" && !own.isShared && own.priority !== "background";
          const held: ReadonlySet<Origin> = new Set(own.sources.map(({ origin }) => origin));
          const may =
            cloud !== "never" &&
            (isAsked || falls) &&
            !own.holdsOthers &&
            !rules.includes("local-only") &&
            (["memories", "files"] as const).every(
              (rule) => !held.has(rule) || rules.includes(rule),
            );
          expect(went.length > 0 && !may).toBe(false);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe("what a cloud is sent", () => {
  const tool = (origin: Origin) => ({ name: origin, description: "", schema: {}, gives: origin });
  const offering: RouteAsk["build"] = ({ withheld = [] }: ModelLimits) => ({
    messages: [{ role: "user", text: "hi" }],
    tools: (["memories", "files", "web"] as const)
      .filter((origin) => !withheld.includes(origin))
      .map(tool),
    maxTokens: 9,
  });

  test.each<[readonly PrivacyRule[], readonly string[]]>([
    [[], ["web"]],
    [["memories"], ["memories", "web"]],
    [
      ["memories", "files"],
      ["memories", "files", "web"],
    ],
  ])("with the rules %j, are the tools %j, and here all of them", async (rules, tools) => {
    const fleet = open({ rules, replies: { local: off } });
    await fleet.run({ build: offering });
    const names = fleet.asked.map(({ request }) => request.tools.map(({ name }) => name));
    expect(names).toEqual([["memories", "files", "web"], tools]);
  });

  const text = "Write to me@example.com, pay 4111 1111 1111 1111.";
  const input = { to: ["me@example.com"], card: 4_111_111_111_111_111 };
  const build: RouteAsk["build"] = () => ({
    messages: [
      { role: "user", text },
      { role: "assistant", text: "", toolCalls: [{ id: "1", name: "mail", input }] },
      { role: "tool", callId: "1", name: "mail", text: "Sent to me@example.com." },
    ],
    tools: [],
    maxTokens: 9,
  });

  test("has no identifiers in it, while a model here gets the words as they are", async () => {
    const fleet = open({ replies: { local: off } });
    await fleet.run({ build });
    const [local, far] = fleet.asked.map(({ request }) => request);
    expect(local?.messages).toEqual(build(askLimits).messages);
    expect(local).not.toHaveProperty("redactions");
    expect(far?.messages).toEqual([
      { role: "user", text: "Write to [e-mail 1], pay [card 1]." },
      {
        role: "assistant",
        text: "",
        toolCalls: [{ id: "1", name: "mail", input: { to: ["[e-mail 1]"], card: "[card 2]" } }],
      },
      { role: "tool", callId: "1", name: "mail", text: "Sent to [e-mail 1]." },
    ]);
    expect(far).toMatchObject({ taskId: "t", labels: ["public", "personal"], redactions: 5 });
  });

  test("comes back whole: in the answer however it is cut, and in what its tools are called with", async () => {
    const calls = [
      { id: "2", name: "mail", input: { to: "[e-mail 1]", n: 2, about: ["[card 1]", "[card 9]"] } },
    ];
    const pieces = ["I wrote to [e-", "mail", " 1", "] about [", "card 1]; see [1]", " and [e"];
    const fleet = open({ replies: { sonnet: [{ text: pieces, calls }] } });
    const events = await fleet.run({ ...asked, build });
    expect(answerOf(events)).toBe(
      "I wrote to me@example.com about 4111 1111 1111 1111; see [1] and [e",
    );
    const parts = events.filter(({ type }) => type === "text" || type === "toolCall");
    expect(parts.at(-1)).toEqual({
      type: "toolCall",
      call: {
        id: "2",
        name: "mail",
        input: { to: "me@example.com", n: 2, about: ["4111 1111 1111 1111", "[card 9]"] },
      },
    });
    expect(parts.filter((event) => event.type === "text" && event.text === "")).toEqual([]);
  });
});

const askLimits: ModelLimits = {
  contextTokens: 8192,
  promptBudget: 2000,
  tools: true,
  bare: false,
  maxAnswerTokens: 100,
};

describe("that a host at home passed words on to a cloud", () => {
  const left: Readonly<Record<string, readonly Reply[]>> = {
    local: [{ fails: "model.passed-on" }],
  };

  test("is told with the answer of who is tried after it", async () => {
    const events = await open({ replies: left }).run();
    expect(outcomesOf(events)).toEqual(["local: model.passed-on", "sonnet: ok"]);
    expect(events.findLast((event) => event.type === "chosen")).toMatchObject({
      notice: expect.stringMatching(/passed what it was sent on to a cloud .* sonnet is tried/),
    });
  });

  test("is told also where those fail", async () => {
    const replies = { ...left, sonnet: off, gpt: off };
    expect(sentenceOf(await open({ replies }).run())).toContain("passed what it was sent on");
  });
});

test("a rule that is taken back while a cloud is tried again holds for the next try", async () => {
  const rules: PrivacyRule[] = ["memories"];
  const purse: Purse = {
    ...freePurse,
    async open(order) {
      rules.length = 0;
      return freePurse.open(order);
    },
  };
  const replies = { sonnet: [{ fails: "model.failed" }, { text: ["Yes."] }] } as const;
  const fleet = open({ cloud: "when-asked", replies, rules, purse });
  const events = await fleet.run({ ...asked, sources: [words, sourceOf("memories")] });
  expect(outcomesOf(events)).toEqual(["sonnet: model.failed"]);
  expect(fleet.asked.map(({ deployment }) => deployment)).toEqual(["sonnet"]);
});
