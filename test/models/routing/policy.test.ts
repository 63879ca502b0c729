import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { type PrivacyRule, privacyRules } from "../../../src/core/privacy.ts";
import type { RouteAsk } from "../../../src/core/router.ts";
import { modelSettingsSchema } from "../../../src/core/settings.ts";
import { labels, origins, type Source, sourceOf } from "../../../src/core/trust.ts";
import { refusalOf, standingOf, withheldBy } from "../../../src/models/routing/policy.ts";
import { askWith } from "../../fakes/router.ts";

type Cloud = "never" | "when-asked" | "fallback";

function settingsWith(cloud: Cloud, policy: object = {}) {
  return modelSettingsSchema.parse({ cloud, policy, tiers: {} });
}

const asked = { tier: "cloud-smart", forced: true } as const;
const words = sourceOf("words");

function standing(cloud: Cloud, own: Partial<RouteAsk> = {}, rules: readonly PrivacyRule[] = []) {
  return standingOf(settingsWith(cloud), askWith(own), new Set(rules));
}

/** Why these sources may not go to a cloud that may help out. */
function refused(
  sources: readonly Source[],
  rules: readonly PrivacyRule[] = [],
): string | undefined {
  const request = { standing: standing("fallback", {}, rules), sources };
  return refusalOf(settingsWith("fallback"), request, "cloud");
}

describe("whether a conversation's own words may go to a cloud", () => {
  const stranger = { ...askWith().task, personId: "bob" };
  test.each<[string, Cloud, Partial<RouteAsk>, boolean]>([
    ["never, whoever asks", "never", asked, false],
    ["when asked, and the owner asks", "when-asked", asked, true],
    ["when asked, and nobody asks", "when-asked", {}, false],
    [
      "when asked, and only the agent's own tier is one",
      "when-asked",
      { tier: "cloud-smart" },
      false,
    ],
    ["when asked, and somebody else asks", "when-asked", { ...asked, task: stranger }, false],
    ["as a fallback, for what the owner types", "fallback", {}, true],
    ["as a fallback, for what goes on with it", "fallback", { priority: "followUp" }, true],
    ["as a fallback, for what nobody waits for", "fallback", { priority: "background" }, false],
    ["as a fallback, for a group's conversation", "fallback", { isShared: true }, false],
    ["as a fallback, for somebody else", "fallback", { task: stranger }, false],
    [
      "as a fallback, for background work that asks for it",
      "fallback",
      { ...asked, priority: "background" },
      true,
    ],
  ])("%s", (_, cloud, own, may) => {
    expect(standing(cloud, own).mayGo).toBe(may);
  });
});

describe("what may go to a host", () => {
  test("at home, the owner's own words and public pages may go to any machine, and secrets stay on this one", () => {
    const settings = settingsWith("never");
    const at = (trust: "local" | "lan", sources: Source[]) =>
      refusalOf(settings, { standing: standing("never"), sources }, trust);
    const all = labels.map((label): Source => ({ origin: "words", label }));
    expect(at("local", all)).toBeUndefined();
    expect(
      at(
        "lan",
        all.filter(({ label }) => label !== "secret"),
      ),
    ).toBeUndefined();
    expect(at("lan", all)).toMatch(/secret.*trust lan.*policy/);
  });

  test("the matrix of the settings narrows what goes to the home network", () => {
    const settings = settingsWith("never", { personal: ["local"] });
    const request = { standing: standing("never"), sources: [words] };
    expect(refusalOf(settings, request, "lan")).toMatch(/personal/);
    expect(refusalOf(settings, request, "local")).toBeUndefined();
  });

  test("to a cloud go words and pages and no memory, no file, nothing secret", () => {
    expect(refused([sourceOf("instructions"), words, sourceOf("web")])).toBeUndefined();
    expect(refused([words, sourceOf("memories")])).toMatch(/rule memories.*privacy allow memories/);
    expect(refused([words, sourceOf("files")])).toMatch(/rule files.*privacy allow files/);
    expect(refused([{ origin: "words", label: "secret" }])).toMatch(/secret/);
  });

  test("a rule lets its own origin go and no other, and none lets a secret go", () => {
    expect(refused([sourceOf("memories")], ["memories"])).toBeUndefined();
    expect(refused([sourceOf("files")], ["memories"])).toMatch(/rule files/);
    expect(
      refused([sourceOf("files"), sourceOf("memories")], ["files", "memories"]),
    ).toBeUndefined();
    expect(refused([{ origin: "files", label: "secret" }], ["files"])).toMatch(/secret/);
  });

  test("what was asked to stay at home goes to no cloud later, whatever is allowed", () => {
    const kept = [words, sourceOf("kept")];
    expect(refused(kept, ["memories", "files"])).toMatch(/stay at home .*new conversation/);
    const request = { standing: standing("fallback", asked, []), sources: kept };
    expect(refusalOf(settingsWith("fallback"), request, "lan")).toBeUndefined();
  });

  test("local-only mode lets nothing go, whatever else is allowed", () => {
    const request = {
      standing: standing("fallback", asked, ["local-only", "memories", "files"]),
      sources: [sourceOf("instructions")],
    };
    expect(refusalOf(settingsWith("fallback"), request, "cloud")).toMatch(
      /local-only holds for it/,
    );
    expect(refusalOf(settingsWith("fallback"), request, "local")).toBeUndefined();
  });

  test("a conversation that others have a part in goes nowhere, also where the owner asks and may", () => {
    const rules = ["memories", "files"] as const;
    const group = { ...asked, isShared: true, holdsOthers: true };
    const request = { standing: standing("when-asked", group, rules), sources: [words] };
    expect(refusalOf(settingsWith("when-asked"), request, "cloud")).toMatch(
      /others .*private chat/,
    );
    expect(refusalOf(settingsWith("when-asked"), request, "lan")).toBeUndefined();
    const recalled = [words, sourceOf("memories"), sourceOf("others")];
    expect(refused(recalled, rules)).toMatch(/others .*private chat/);
    const alone = {
      standing: standing("when-asked", { ...asked, isShared: true }),
      sources: [words],
    };
    expect(refusalOf(settingsWith("when-asked"), alone, "cloud")).toBeUndefined();
  });

  test("each way to be refused says how to be allowed", () => {
    const at = (cloud: Cloud) => {
      const request = { standing: standing(cloud), sources: [words] };
      return refusalOf(settingsWith(cloud), request, "cloud");
    };
    expect(at("never")).toContain("agent config set models.cloud when-asked");
    expect(at("when-asked")).toContain("--tier cloud");
  });

  test("what a cloud is offered no tool for is what has no rule", () => {
    expect(withheldBy(standing("fallback"))).toEqual(["memories", "files"]);
    expect(withheldBy(standing("fallback", {}, ["files"]))).toEqual(["memories"]);
    expect(withheldBy(standing("fallback", {}, ["files", "memories"]))).toEqual([]);
  });

  const source = fc.record({
    origin: fc.constantFrom(...origins),
    label: fc.constantFrom(...labels),
  });
  const anyAsk = fc.record({
    tier: fc.constantFrom("local-fast" as const, "cloud-smart" as const),
    forced: fc.boolean(),
    isShared: fc.boolean(),
    priority: fc.constantFrom("interactive" as const, "background" as const),
  });

  test("no more sources and no fewer rules ever let more go", () => {
    fc.assert(
      fc.property(
        fc.array(source),
        source,
        fc.subarray([...privacyRules]),
        anyAsk,
        fc.constantFrom<Cloud>("never", "when-asked", "fallback"),
        (sources, more, rules, own, cloud) => {
          const may = (all: Source[], held: PrivacyRule[]): boolean =>
            refusalOf(
              settingsWith(cloud),
              { standing: standing(cloud, own, held), sources: all },
              "cloud",
            ) === undefined;
          const grants = rules.filter((rule) => rule !== "local-only");
          const before = may(sources, grants);
          expect(may([...sources, more], grants) && !before).toBe(false);
          expect(before && cloud === "never").toBe(false);
          expect(before && !may(sources, ["memories", "files"])).toBe(false);
          expect(rules.includes("local-only") && may(sources, rules)).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });
});
