import { describe, expect, test } from "vitest";

import { ask, eventsOf, stopOf, textOf } from "../contract/model.ts";
import { createFakeClock } from "../fakes/clock.ts";
import { startServer } from "../fakes/server.ts";
import { modelAt, openAt } from "./open-ollama.ts";

/** A host at home whose owner puts another model under a name that it had. */
async function startTurning() {
  const says = { capabilities: ["completion"], modified_at: "2026-11-01" };
  const host = { show: says as object, chat: {} as object, status: 200, chats: 0 };
  const line = { message: { content: "From afar." }, done: true, done_reason: "stop" };
  const url = await startServer(({ url: path }, response) => {
    if (path === "/api/show") response.end(JSON.stringify(host.show));
    else if (path === "/api/ps") response.end(JSON.stringify({ models: [] }));
    else if (path !== "/api/chat") response.writeHead(404).end();
    else {
      host.chats += 1;
      response.writeHead(host.status).end(`${JSON.stringify({ ...line, ...host.chat })}\n`);
    }
  });
  return { host, says, url };
}

describe("a model that its host turns into a remote one", () => {
  const far = { remote_host: "https://ollama.com:443", remote_model: "gpt-oss:120b" };

  test("is asked nothing once that was not looked at for a moment", async () => {
    const { host, says, url } = await startTurning();
    const clock = createFakeClock();
    const model = modelAt(url, "turning", clock);
    expect(stopOf(await eventsOf(model, ask("hello")))?.reason).toBe("end");
    host.show = { ...says, ...far };
    clock.pass(5001);
    const events = await eventsOf(model, ask("hello"));
    expect(stopOf(events)?.failure?.code).toBe("model.refused");
    clock.pass(60_000);
    await expect(model.load?.(new AbortController().signal)).rejects.toThrow("runs in a cloud");
    expect(host.chats).toBe(1);
  });

  test.each([
    ["a host", 200, far, far.remote_host],
    ["a model", 200, { remote_model: "gpt-oss:120b" }, "gpt-oss:120b"],
    ["a place to sign in", 401, { error: "unauthorized", signin_url: "https://x" }, "sign in"],
  ])(
    "and answers from there, naming %s, is not read, on record as a cloud, and not believed again",
    async (_, status, chat, told) => {
      const { host, says, url } = await startTurning();
      const { model, door, receipts } = openAt(url, "turning");
      Object.assign(host, { status, chat });
      const events = await eventsOf(model, ask("hello"));
      expect(stopOf(events)?.failure).toMatchObject({
        code: "model.passed-on",
        sentence: expect.stringContaining(told),
      });
      expect(textOf(events)).toBe("");
      // Its host may well go on to say that it is like any other.
      Object.assign(host, { status: 200, chat: {} });
      for (const code of ["model.refused", "model.refused"]) {
        expect(stopOf(await eventsOf(model, ask("hello")))?.failure?.code).toBe(code);
      }
      expect(host.chats).toBe(1);
      host.show = { ...says, modified_at: "2026-11-02" };
      expect(stopOf(await eventsOf(model, ask("hello")))?.reason).toBe("end");
      await door.close();
      const sent = receipts().filter(({ bodyBytesOut }) => bodyBytesOut > 100);
      expect(sent.map(({ trust }) => trust)).toEqual(["cloud", "local"]);
      expect(sent[0]?.sha256Out).not.toBeNull();
    },
  );
});
