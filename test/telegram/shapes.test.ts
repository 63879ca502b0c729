import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { toUpdate } from "../../bots/telegram/events.ts";
import { ann, direct, group, heron, me, mention, said, update } from "./sample-updates.ts";

describe("an update of any shape", () => {
  /** Real shapes, each with every field that is looked at. */
  const full = {
    message_id: 5,
    date: 1,
    chat: group,
    from: ann,
    message_thread_id: 12,
    is_topic_message: true,
    text: "@heron_bot hi",
    entities: mention(0),
    reply_to_message: { message_id: 3, from: heron },
    photo: [{ file_id: "p", width: 1, height: 1 }],
    document: { file_id: "d", file_name: "a.txt" },
    poll: { question: "Tea?", options: [{ text: "yes" }] },
    checklist: { title: "Trip", tasks: [{ text: "socks" }] },
    location: { latitude: 1, longitude: 2 },
    rich_message: { blocks: [{ type: "paragraph", text: "x" }] },
  };
  const change = { chat: group, from: ann, old_chat_member: { status: "left" }, new_chat_member: { status: "member" } };
  const real: readonly Record<string, unknown>[] = [
    { message: full },
    { edited_message: full },
    { callback_query: { id: "q", from: ann, data: "b", message: full } },
    { message_reaction: { chat: group, message_id: 5, user: ann, new_reaction: [{ type: "emoji", emoji: "👍" }] } },
    { my_chat_member: change },
    { stopped_message_generation: { chat: direct, draft_id: 1 } },
  ];

  /** Puts anything in the place of one value, however deep it lies. */
  function spoil(value: unknown, path: readonly number[], anything: unknown): unknown {
    const [at, ...rest] = path;
    if (at === undefined || typeof value !== "object" || value === null) return anything;
    const keys = Object.keys(value);
    const key = keys[at % Math.max(keys.length, 1)];
    if (key === undefined) return anything;
    const copy: Record<string, unknown> = { ...value };
    copy[key] = spoil(copy[key], rest, anything);
    return Array.isArray(value) ? Object.values(copy) : copy;
  }

  const numbers: ReadonlySet<string> = new Set(["messageId", "pressId"]);

  function expectWhole(found: ReturnType<typeof toUpdate>): void {
    expect(typeof found.updateId).toBe("string");
    const { event } = found;
    const fields = Object.entries(event).filter(([name]) => numbers.has(name));
    expect(fields.map(([, value]) => typeof value)).toEqual(fields.map(() => "string"));
    if (event.type === "nothing") return;
    expect(event.place.address).toMatch(/^-?\d+(\/\d+)?$/);
    expect("from" in event ? event.from.accountId : "0").toMatch(/^-?\d+$/);
  }

  test("never fails, and its ids are texts", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...real),
        fc.array(fc.nat(30), { minLength: 1, maxLength: 7 }),
        fc.jsonValue(),
        (shape, path, anything) => {
          expectWhole(toUpdate(update(Object(spoil(shape, path, anything))), me));
        },
      ),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(fc.jsonValue(), (anything) => {
        expectWhole(toUpdate(JSON.parse(JSON.stringify(anything)), me));
      }),
      { numRuns: 500 },
    );
  });

  test("keeps its words where only a detail is wrong", () => {
    const odd = { text: "hello", entities: "none", photo: 7, from: { ...ann, last_name: 3 } };
    expect(said(odd)).toMatchObject({ text: "hello", from: { name: "Ann" }, attachments: [] });
  });
});
