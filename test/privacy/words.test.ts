import { describe, expect, test } from "vitest";

import { spendingText } from "../../src/core/cost.ts";
import { carrierOf, departureLines, departuresOf } from "../../src/core/departures.ts";
import type { Receipt } from "../../src/core/http.ts";
import { changeText, type PrivacyView, privacyLines } from "../../src/core/privacy.ts";
import { fateOf, originLines } from "../../src/core/route-text.ts";
import { type UsageRow, waitText } from "../../src/core/task.ts";

function receipt(own: Partial<Receipt> = {}): Receipt {
  return {
    id: "r",
    taskId: "t",
    purpose: "model",
    host: "127.0.0.1:11434",
    trust: "local",
    at: 5,
    headBytesOut: 200,
    bodyBytesOut: 1800,
    headBytesIn: 100,
    bodyBytesIn: 400,
    sha256Out: null,
    sha256In: null,
    labels: [],
    redactions: 0,
    status: 200,
    ...own,
  };
}

const cloud = { host: "api.anthropic.com", trust: "cloud" } as const;
const telegram = { host: "api.telegram.org", trust: "platform", purpose: "chat" } as const;

function read(receipts: readonly Partial<Receipt>[], chatId = "terminal:main"): string[] {
  return departureLines(departuresOf(receipts.map(receipt)), carrierOf(chatId));
}

describe("what left this machine", () => {
  test("is nothing where only this machine was used", () => {
    expect(read([])).toEqual(["Nothing left this machine."]);
    expect(read([{}, {}], "api:main")).toEqual(["Nothing left this machine."]);
  });

  test("is only the chat, where a chat service carries it", () => {
    const only = ["Only to Telegram, which carries this chat."];
    expect(read([{}], "telegram:7")).toEqual(only);
    const placed = { ...telegram, bodyBytesOut: 0 };
    const edited = { ...telegram, labels: ["personal"] } as const;
    expect(read([placed, edited], "telegram:7")).toEqual([
      "Only to Telegram, which carries this chat: 2.2 kB out, 1.0 kB in, personal.",
    ]);
    expect(read([edited])).toEqual([
      "Only to api.telegram.org, a chat service that you connected: 2.0 kB out, 500 bytes in, personal.",
    ]);
    // Whose bytes are which is not said where it is not known.
    const other = { ...telegram, host: "discord.com" };
    expect(read([edited, other], "telegram:7")).toEqual(only);
  });

  test("went to a host, added up, with its labels and what was taken out", () => {
    const lines = read(
      [
        { ...cloud, labels: ["personal"], redactions: 1 },
        { ...cloud, labels: ["public"], redactions: 1 },
        { host: "nas.local", trust: "lan" },
      ],
      "telegram:7",
    );
    expect(lines).toEqual([
      "To api.anthropic.com (model): 4.0 kB out, 1.0 kB in, public and personal; 2 identifiers were taken out.",
      "To the home network, nas.local (model): 2.0 kB out, 500 bytes in, nothing of a person.",
      "To Telegram, which carries this chat.",
    ]);
  });
});

const view: PrivacyView = { cloud: "when-asked", rules: [], platforms: ["telegram"] };
const here = "telegram:7";

describe("what holds", () => {
  test("is told line by line, and for a chat only what holds there", () => {
    const rules = [
      { rule: "memories", chatId: null },
      { rule: "local-only", chatId: here },
      { rule: "local-only", chatId: "telegram:8" },
    ] as const;
    expect(privacyLines({ ...view, rules })).toEqual([
      "Cloud: only when you ask for it (--tier cloud, or /tier cloud in a chat).",
      "Local-only: on in telegram:7, telegram:8; elsewhere not.",
      "Memories: may go where your words may, everywhere.",
      "Files: stay at home.",
      "Connected: Telegram, for the words of its own chats; local-only leaves that on.",
    ]);
    expect(privacyLines({ ...view, rules }, here)[1]).toBe("Local-only: on in this chat.");
    expect(privacyLines({ ...view, rules }, "telegram:9")[1]).toBe("Local-only: off.");
  });

  test("a change says what it came to, and what is against it", () => {
    const on = { rule: "local-only", holds: true, chatId: here } as const;
    const off = { ...on, holds: false };
    expect(changeText(view, on, "in this chat")).toBe(
      "Local-only is on in this chat: no cloud is reached. Telegram goes on: it carries the words of its own chats.",
    );
    expect(changeText(view, off, "in this chat")).toBe("Local-only is off in this chat.");
    const everywhere = { ...view, rules: [{ rule: "local-only", chatId: null }] } as const;
    expect(changeText(everywhere, off, "in this chat")).toContain("It still holds everywhere");
    const inHere = { ...view, rules: [{ rule: "local-only", chatId: here }] } as const;
    const offEverywhere = { ...off, chatId: null };
    expect(changeText(inHere, offEverywhere, "everywhere")).toContain("still holds in telegram:7.");
    const files = { rule: "files", holds: true, chatId: here } as const;
    expect(changeText(view, files, "in this chat")).toBe(
      "What files hold may go where your words may, in this chat.",
    );
    expect(changeText(inHere, files, "in this chat")).toContain(
      "Local-only is on, and goes before",
    );
    const never = { ...view, cloud: "never" } as const;
    expect(changeText(never, files, "in this chat")).toContain(
      "No cloud is allowed yet: agent config set models.cloud when-asked.",
    );
  });
});

function attempt(own: Partial<UsageRow>): UsageRow {
  return {
    id: "a",
    taskId: "t",
    seq: 1,
    deployment: "small",
    tier: "local-fast",
    reason: "listed in local-fast",
    outcome: "ok",
    startedAt: 0,
    queuedMs: 500,
    durationMs: 3000,
    ...own,
  };
}

const counted = { promptTokens: 100, answerTokens: 20 } as const;

describe("how an answer came about", () => {
  const candidate = { tier: "local-fast", reason: "listed in local-fast", usable: true } as const;
  const excluded = {
    deployment: "claude",
    tier: "cloud-smart",
    reason: "claude is not used: it is a cloud.",
    usable: false,
  } as const;
  const usage = [
    attempt({ id: "1", deployment: "broken", outcome: "model.timeout", durationMs: 1000 }),
    attempt({
      ...counted,
      reason: "listed in local-fast; before it broken: model.timeout",
      firstTokenMs: 400,
      costUsd: 0,
      priced: "home",
      estimated: true,
    }),
  ];
  const candidates = [
    { ...candidate, deployment: "broken" },
    { ...candidate, deployment: "small" },
    { ...candidate, deployment: "spare" },
    excluded,
  ];
  const routes = [{ taskId: "t", seq: 1, constraints: [], candidates }];

  test("is four lines: model and where, why, tokens and cost, times", () => {
    const lan = receipt({ host: "nas.local:11434", trust: "lan" });
    expect(originLines({ usage, routes, receipts: [lan] })).toEqual([
      "small on your network (nas.local:11434)",
      "Why: listed in local-fast; not broken: model.timeout; not claude: claude is not used: it is a cloud.",
      "100 tokens read, 20 written; no cost (at home, estimated)",
      "queued 1.0 s, first token 0.4 s, whole 4.0 s",
    ]);
    expect(originLines({ usage: [], routes: [], receipts: [] })).toHaveLength(1);
  });

  test("names the service that answered, and a price that is known from elsewhere", () => {
    const paid = attempt({ ...counted, costUsd: 0.02, priced: "service", firstTokenMs: 1 });
    const [where, , spent] = originLines({ usage: [paid], routes, receipts: [receipt(cloud)] });
    expect(where).toBe("small in the cloud (api.anthropic.com)");
    expect(spent).toBe("100 tokens read, 20 written; $0.02 (as the service reported)");
  });

  test("each candidate answered, was tried, was not needed or was excluded", () => {
    expect(candidates.map((one) => fateOf(one, usage))).toEqual([
      "tried",
      "answered",
      "not needed",
      "excluded",
    ]);
  });
});

test("a wait is told when it is long, and not when it is over before it is read", () => {
  expect(waitText({ ahead: 2, expectedMs: 40_400 })).toBe(
    "Waiting for the model: 2 before you, about 40 s.",
  );
  expect(waitText({ ahead: 0, expectedMs: 300_000 })).toBe("Waiting for the model: about 5 min.");
  expect(waitText({ ahead: 2, expectedMs: 3000 })).toBeUndefined();
});

test("what was spent stands against its cap", () => {
  expect(spendingText({ name: "today", spentUsd: 0.25, capUsd: 1 })).toBe(
    "Spent today: $0.25 of $1.00 (25 %).",
  );
  expect(spendingText({ name: "this month", spentUsd: 0, capUsd: 0 })).toBe(
    "Spent this month: nothing of $0.00 (100 %).",
  );
});
