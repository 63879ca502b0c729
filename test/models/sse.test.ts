import fc from "fast-check";
import { expect, test } from "vitest";

import { sseOf } from "../../src/models/clients/sse.ts";

async function eventsIn(pieces: readonly Uint8Array[]): Promise<[string, string][]> {
  const events = await Array.fromAsync(sseOf(ReadableStream.from(pieces)));
  return events.map(({ event, data }) => [event, data]);
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test.each([
  ["data: a\n\ndata: b\n\n", ["a", "b"]],
  ["data:a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]],
  ["data: a\ndata:  b\n\n", ["a\n b"]],
  [": a comment\n\ndata: a\n: another\n\n\n\n", ["a"]],
  ["id: 7\nretry: 3\ndata: a\n\n", ["a"]],
  ["data\n\n", [""]],
  ["data: a\n\ndata: cut", ["a"]],
])("%j holds the data %j", async (text, data) => {
  expect((await eventsIn([bytes(text)])).map((event) => event[1])).toEqual(data);
});

test("a name is that of its own event only", async () => {
  const text = "event: ping\ndata: 1\n\ndata: 2\n\nevent: lost\n\ndata: 3\n\n";
  expect(await eventsIn([bytes(text)])).toEqual([
    ["ping", "1"],
    ["message", "2"],
    ["message", "3"],
  ]);
});

test("an error that has a field of its own is an event", async () => {
  expect(await eventsIn([bytes('error: {"code":500}\n\n')])).toEqual([["error", '{"code":500}']]);
});

test("the events are the same however the bytes are cut", async () => {
  const text = "event: ä\r\ndata: wörld 😀\r\n\r\n: c\r\ndata: 1\ndata: 2\n\n";
  const all = bytes(text);
  const expected = await eventsIn([all]);
  const cuts = fc.array(fc.nat(all.length), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(cuts, async (places) => {
      const at = [0, ...places.toSorted((a, b) => a - b), all.length];
      const pieces = at.slice(1).map((end, i) => all.subarray(at[i], end));
      expect(await eventsIn(pieces)).toEqual(expected);
    }),
  );
});
