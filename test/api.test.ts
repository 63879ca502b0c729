import { describe, expect, onTestFinished, test } from "vitest";

import { createAgent } from "../src/index.ts";
import { run, scriptedHome, start } from "./fakes/program.ts";

const script = `
scenes:
  - when: story
    replies: [{ text: "Once upon a time there was a very long story.", piece: 3, delay: 100 }]
  - replies: [{ text: "Hello." }]
`;

async function open(home: string) {
  const agent = await createAgent({ home });
  onTestFinished(() => agent.close());
  return agent;
}

describe("the API", () => {
  test("beside a service gives its requests to it", async () => {
    const home = await scriptedHome(script);
    const service = start(home, ["serve"]);
    await service.saw("Serving");
    const agent = await open(home);
    const { taskId, output } = await agent.run({ input: "hi" });
    expect(output).toBe("Hello.");
    await service.saw(`${taskId.slice(-6)} task ended`);
    const status = await run(home, ["status"]);
    expect(status.stdout).toContain(`process ${service.child.pid}`);
  });

  test("holds the data where nobody does, and answers commands", async () => {
    const home = await scriptedHome(script);
    const agent = await open(home);
    await agent.run({ input: "hi" });
    const asked = await run(home, ["Say something"]);
    expect(asked).toEqual({ stdout: "Hello.\n", stderr: "", code: 0 });
    expect(await agent.history()).toHaveLength(2);
    const status = await run(home, ["status"]);
    expect(status.stdout).toContain(`A program runs as process ${process.pid}`);
  });

  test("ending the iteration of a stream stops its task", async () => {
    const agent = await open(await scriptedHome(script));
    for await (const event of agent.stream({ input: "a story" })) if (event.type === "text") break;
    await expect
      .poll(() => agent.history())
      .toMatchObject([{ state: "cancelled", output: expect.stringMatching(/^Onc/) }]);
  });

  test("refuses empty words before anything is stored", async () => {
    const agent = await open(await scriptedHome(script));
    await expect(agent.run({ input: " " })).rejects.toMatchObject({ code: "usage.empty" });
    expect(await agent.history()).toEqual([]);
  });
});
