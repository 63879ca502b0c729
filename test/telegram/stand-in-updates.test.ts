import { describe, expect, test } from "vitest";

import { ann, opened, saidTo } from "./stand-in-api.ts";

type Texts = readonly { readonly message?: { readonly text?: string } }[];
const textsOf = (updates: Texts) => updates.map(({ message }) => message?.text);

describe("updates", () => {
  test("come again until they are confirmed, in batches", async () => {
    const { telegram, api } = await opened();
    for (const text of ["one", "two", "three"]) telegram.write({ from: ann, text });
    const first = await api.getUpdates({ limit: 2 });
    expect(textsOf(first)).toEqual(["one", "two"]);
    expect(textsOf(await api.getUpdates())).toEqual(["one", "two", "three"]);
    const offset = (first[1]?.update_id ?? 0) + 1;
    expect(textsOf(await api.getUpdates({ offset }))).toEqual(["three"]);
    expect(telegram.waiting()).toBe(1);
    expect(textsOf(await api.getUpdates({ offset: -1 }))).toEqual(["three"]);
  });

  test("a poll is held until something comes, or its time is over", async () => {
    const { telegram, api, clock } = await opened();
    const held = api.getUpdates({ timeout: 30 });
    await expect.poll(() => telegram.calls("getUpdates").length).toBe(1);
    telegram.write({ from: ann, text: "one" });
    const [update] = await held;
    expect(update?.message?.text).toBe("one");
    const offset = (update?.update_id ?? 0) + 1;
    const empty = api.getUpdates({ offset, timeout: 30 });
    await expect.poll(() => telegram.waiting()).toBe(0);
    clock.pass(30_000);
    expect(await empty).toEqual([]);
  });

  test("a second poller ends the first one's poll", async () => {
    const { telegram, api } = await opened();
    const first = saidTo(api.getUpdates({ timeout: 30 }));
    await expect.poll(() => telegram.calls("getUpdates").length).toBe(1);
    const second = api.getUpdates({ timeout: 30 });
    expect(await first).toBe(
      "409 Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    );
    telegram.write({ from: ann, text: "one" });
    expect(textsOf(await second)).toEqual(["one"]);
  });

  test("kinds that nobody asked for are not given, and what was asked is remembered", async () => {
    const { telegram, api } = await opened();
    const messageId = telegram.write({ from: ann, text: "one" });
    telegram.react(ann, messageId, ["👍"]);
    expect(await api.getUpdates({ allowed_updates: ["message", "message_reaction"] })).toHaveLength(
      1,
    );
    telegram.react(ann, messageId, []);
    telegram.block(ann);
    expect(await api.getUpdates()).toMatchObject([
      { message: { text: "one" } },
      { message_reaction: { old_reaction: [{ emoji: "👍" }], new_reaction: [] } },
    ]);
  });

  test("confirmed ones come again on demand, in another order, and under a number of its own", async () => {
    const { telegram, api } = await opened();
    for (const [from, text] of [
      [1, "a1"],
      [1, "a2"],
      [2, "b1"],
      [2, "b2"],
    ] as const) {
      telegram.write({ from, text });
    }
    telegram.shuffle(() => 0.9);
    expect(textsOf(await api.getUpdates())).toEqual(["b1", "b2", "a1", "a2"]);
    expect(await api.getUpdates({ offset: 1004 })).toEqual([]);
    telegram.repeat();
    expect(textsOf(await api.getUpdates({ offset: 1004 }))).toEqual(["a1", "a2", "b1", "b2"]);
    telegram.jump(17);
    telegram.write({ from: 1, text: "a3" });
    expect(await api.getUpdates({ offset: 1004 })).toMatchObject([{ update_id: 17 }]);
    expect(await api.getUpdates({ offset: 18 })).toEqual([]);
  });
});

describe("faults", () => {
  test.each([
    ["slowDown", "429 Too Many Requests: retry after 7", 0],
    ["broken", "502 Bad Gateway", 0],
    ["reset", "HttpError", 0],
    ["lost", "HttpError", 1],
  ] as const)("%s", async (kind, said, shown) => {
    const { telegram, api } = await opened();
    telegram.write({ from: ann, text: "hello" });
    telegram.fail({ method: "sendMessage", kind, retryAfter: 7 });
    expect(await saidTo(api.sendMessage(ann, "a"))).toBe(said);
    expect(telegram.seen(ann)).toHaveLength(shown);
    expect(await saidTo(api.sendMessage(ann, "b"))).toBe("taken");
  });

  test("a storm goes on for some time, and only where it is meant", async () => {
    const { telegram, api, clock } = await opened();
    telegram.write({ from: ann, text: "hello" });
    telegram.write({ from: 78, text: "hello" });
    const until = clock.now() + 5000;
    telegram.fail({
      method: "*",
      kind: "slowDown",
      until: () => clock.now() >= until,
      when: (input) => input["chat_id"] === ann,
    });
    for (let i = 0; i < 3; i += 1) {
      expect(await saidTo(api.sendMessage(ann, "a"))).toContain("429");
      expect(await saidTo(api.sendMessage(78, "a"))).toBe("taken");
    }
    clock.pass(5000);
    expect(await saidTo(api.sendMessage(ann, "a"))).toBe("taken");
  });

  test("a slow response is late, and a silent one never comes", async () => {
    const { telegram, api, clock } = await opened();
    telegram.write({ from: ann, text: "hello" });
    telegram.fail({ method: "sendMessage", kind: "slow", delayMs: 4000 });
    const slow = saidTo(api.sendMessage(ann, "a"));
    await expect.poll(() => telegram.calls("sendMessage").length).toBe(1);
    expect(telegram.seen(ann)).toEqual([]);
    clock.pass(4000);
    expect(await slow).toBe("taken");
    telegram.fail({ method: "sendMessage", kind: "silent" });
    const silent = saidTo(api.sendMessage(ann, "b"));
    await expect.poll(() => telegram.seen(ann).length).toBe(2);
    telegram.close();
    expect(await silent).toBe("HttpError");
  });

  test("every point of a call is told of as it comes", async () => {
    const heard: string[] = [];
    const { telegram, api } = await opened({
      onCall: (stage, method) => heard.push(`${method} ${stage} ${telegram.seen(ann).length}`),
    });
    telegram.write({ from: ann, text: "hello" });
    await api.sendMessage(ann, "a");
    telegram.fail({ method: "sendMessage", kind: "lost" });
    await saidTo(api.sendMessage(ann, "b"));
    expect(heard).toEqual([
      "sendMessage arrived 0",
      "sendMessage taken 1",
      "sendMessage answered 1",
      "sendMessage arrived 1",
      "sendMessage taken 2",
    ]);
  });
});
