import { describe, expect, onTestFinished, test } from "vitest";

import { systemClock } from "../../src/core/clock.ts";
import type { DoorRule } from "../../src/core/http.ts";
import type { CheckedPath } from "../../src/core/privacy.ts";
import { modelSettingsSchema } from "../../src/core/settings.ts";
import { openStore } from "../../src/store/open-store.ts";
import { emptyFolder } from "../fakes/folder.ts";
import { createDeskOver } from "../fakes/privacy.ts";
import { openDoor } from "../fakes/receipts.ts";

const claude: DoorRule = { purpose: "model", origin: "https://claude.invalid", linksOut: false };
const fakePlatform: DoorRule = {
  purpose: "chat",
  origin: "https://fake.invalid",
  linksOut: false,
  platform: true,
};

const hosts = {
  ollama: { kind: "ollama", url: "http://127.0.0.1:11434" },
  nas: { kind: "openai", url: "http://nas.local:1234/v1" },
  plain: { kind: "ollama", url: "http://nas:11434" },
  claude: { kind: "anthropic", url: "https://claude.invalid" },
  clear: { kind: "openai", url: "http://clear.invalid/v1" },
};

/** A desk over a real store and the product's door, which has these rules. */
async function setUp(cloud: "never" | "when-asked", rules: readonly DoorRule[] = []) {
  const store = await openStore({ folder: await emptyFolder("desk"), clock: systemClock });
  onTestFinished(() => store.close());
  const tiers = { "local-fast": [], "local-smart": [], "cloud-smart": [] };
  const settings = { ...modelSettingsSchema.parse({ cloud, hosts, tiers }) };
  const { door, receipts } = openDoor([fakePlatform, ...rules], {
    localOnly: async (taskId) => (await store.privacyRules(taskId)).has("local-only"),
  });
  const desk = createDeskOver(store, {
    door: () => Promise.resolve(door),
    models: () => Promise.resolve({ ...settings, hub: "https://hub.invalid/models" }),
    index: () => Promise.resolve("https://index.invalid/simple"),
    ollamas: () =>
      Promise.resolve(
        new Map([
          ["here", { cloudIsOn: () => Promise.resolve(true) }],
          ["there", { cloudIsOn: () => Promise.resolve(false) }],
          ["off", { cloudIsOn: () => Promise.reject(new Error("connection refused")) }],
          ["old", { cloudIsOn: () => Promise.resolve(undefined) }],
        ]),
      ),
  });
  return { store, desk, receipts };
}

const outcomes = (paths: readonly CheckedPath[]) =>
  Object.fromEntries(paths.map(({ path, outcome }) => [path, outcome]));

describe("the check of every way out", () => {
  test("refuses what no rule allows, and says by which rule the rest may leave", async () => {
    const { desk, receipts } = await setUp("never");
    const paths = await desk.check();
    expect(outcomes(paths)).toEqual({
      "models of nas": "open",
      "models of plain": "held",
      "models of claude": "refused",
      "models of clear": "refused",
      "what off sends by itself": "none",
      "what old sends by itself": "open",
      "what here sends by itself": "open",
      "what there sends by itself": "held",
      "models that ollama is told to pull": "open",
      "models that plain is told to pull": "open",
      "model files": "open",
      "package index": "open",
      "web pages and search": "none",
      telemetry: "none",
      "chats of Fake": "open",
      "a host that no rule names": "refused",
    });
    const reasons = paths.map(({ reason }) => reason).join("\n");
    expect(reasons).toContain("its own cloud is on: set OLLAMA_NO_CLOUD=1");
    expect(reasons).toContain("it is too old to say: set OLLAMA_NO_CLOUD=1");
    expect(reasons).toContain("it does not answer, so it is not known: check again when it runs");
    expect(reasons).toContain("Nothing configured allows a connection to claude.invalid");
    expect(receipts()).toEqual([]);
  });

  test("lets a cloud that is allowed be, and refuses it at the door once local-only is on", async () => {
    const { desk, receipts } = await setUp("when-asked", [claude]);
    const open = await desk.check();
    expect(outcomes(open)).toMatchObject({ "models of claude": "open", "models of clear": "open" });
    const told = open.filter(({ reason }) => reason.includes("write https in its url"));
    expect(told.map(({ path }) => path)).toEqual(["models of clear"]);
    await desk.change({ rule: "local-only", holds: true, chatId: null });
    const paths = await desk.check();
    expect(outcomes(paths)).toMatchObject({
      "models of nas": "open",
      "models of plain": "refused",
      "models of claude": "refused",
      "models that ollama is told to pull": "refused",
      "models that plain is told to pull": "refused",
      "model files": "refused",
      "package index": "refused",
      "chats of Fake": "open",
      "a host that no rule names": "refused",
    });
    const why = paths.find(({ path }) => path === "models of claude")?.reason;
    expect(why).toContain("Local-only mode is on");
    expect(paths.find(({ path }) => path === "chats of Fake")?.reason).toContain("leaves it on");
    expect(receipts()).toEqual([]);
  });

  test("says so where the door lets something pass that had to be refused, and sends nothing", async () => {
    const unnamed = {
      purpose: "model",
      origin: "https://unnamed.invalid",
      linksOut: false,
    } as const;
    const { desk, receipts } = await setUp("never", [unnamed, claude]);
    expect(outcomes(await desk.check())).toMatchObject({
      "models of claude": "failed",
      "a host that no rule names": "failed",
    });
    expect(receipts()).toEqual([]);
  });
});

describe("a decision of the owner", () => {
  test("holds at once, and is taken back", async () => {
    const { desk } = await setUp("when-asked");
    const rule = { rule: "memories", chatId: "terminal:main" } as const;
    const { rules, platforms } = await desk.change({ ...rule, holds: true });
    expect([rules, platforms]).toEqual([[rule], ["fake"]]);
    expect((await desk.change({ ...rule, holds: false })).rules).toEqual([]);
  });

  test("for a chat that does not exist is refused", async () => {
    const { desk, store } = await setUp("when-asked");
    const change = { rule: "local-only", holds: true, chatId: "fake:here" } as const;
    await expect(desk.change(change)).rejects.toThrow("There is no chat fake:here");
    await store.ensureChat({ id: "fake:here", platform: "fake", personId: "owner" });
    expect((await desk.change(change)).rules).toEqual([
      { rule: "local-only", chatId: "fake:here" },
    ]);
  });
});
