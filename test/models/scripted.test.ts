import { expect, test } from "vitest";

import { systemClock } from "../../src/core/clock.ts";
import {
  createScriptedModel,
  parseScript,
  type ScriptedReply,
} from "../../src/models/clients/scripted.ts";
import { ask, eventsOf, modelContract, stopOf, textOf } from "../contract/model.ts";

function model(...replies: ScriptedReply[]) {
  const long = { when: "long", replies: [{ text: "one two three", piece: 1, delay: 5 }] };
  const script = parseScript({ scenes: [long, { replies }] });
  return createScriptedModel({ id: "scripted", script, clock: systemClock });
}

modelContract("A scripted model", () =>
  Promise.resolve({ model: model({ text: "Hello." }), long: ask("long") }),
);

test("which reply is due is read off the request, so a resumed task hears the same", async () => {
  const scripted = model({ toolCalls: [{ name: "now", input: {} }] }, { text: "Noon." });
  const first = await eventsOf(scripted, ask("time?"));
  expect(stopOf(first)?.reason).toBe("toolCalls");
  const call = { id: "call-1-1", name: "now", input: {} };
  expect(first).toContainEqual({ type: "toolCall", call });
  const resumed = {
    ...ask("time?"),
    messages: [
      { role: "user", text: "time?" },
      { role: "assistant", text: "", toolCalls: [call] },
      { role: "tool", callId: call.id, name: "now", text: "12:00" },
    ],
  } as const;
  expect(textOf(await eventsOf(scripted, resumed))).toBe("Noon.");
  expect(textOf(await eventsOf(scripted, resumed))).toBe("Noon.");
});

test("a failure of the script ends the reply", async () => {
  const events = await eventsOf(model({ text: "Half", failure: "model.truncated" }), ask("hello"));
  expect([textOf(events), stopOf(events)?.failure?.code]).toEqual(["Half", "model.truncated"]);
});

test("a script with a misspelt key is refused", () => {
  expect(() => parseScript({ scenes: [{ replies: [{ txt: "Hello" }] }] })).toThrow(/txt/);
});
