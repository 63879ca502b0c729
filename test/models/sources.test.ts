import { expect, test } from "vitest";

import { systemClock } from "../../src/core/clock.ts";
import { createSecret } from "../../src/core/secret.ts";
import { modelsFileSchema } from "../../src/models/model-rows.ts";
import { createSources } from "../../src/models/sources.ts";
import { createSpawn } from "../../src/sandbox/spawn.ts";
import { ask, eventsOf, stopOf } from "../contract/ask.ts";
import { emptyFolder } from "../fakes/folder.ts";
import { openDoor } from "../fakes/receipts.ts";

const none = { hub: "https://hub.example", embedded: {} };
// A name that nobody can own: a broken lock must not reach a real service.
const far = "https://cloud.invalid";

/** The failure of a request to a cloud, and what left the machine, with a key in the environment. */
async function askCloud(cloud: "never" | "when-asked", key: string | undefined) {
  const { door, receipts } = openDoor();
  const deployments = { sonnet: { host: "far", model: "claude-sonnet-5" } };
  const tiers = { "local-fast": [], "local-smart": [], "cloud-smart": ["sonnet"] };
  const hosts = { far: { kind: "anthropic", url: far } };
  const settings = modelsFileSchema.parse({ cloud, hosts, deployments, tiers, ...none });
  const home = await emptyFolder("sources");
  const sources = createSources({
    settings,
    home,
    state: home,
    door,
    spawn: createSpawn(),
    clock: systemClock,
    environment: {},
    person: { notice() {}, progress() {} },
    readData: () => Promise.resolve({}),
    secrets: (name) => (key === undefined ? undefined : createSecret(name, key)),
  });
  const deployment = settings.deployments["sonnet"];
  if (deployment === undefined) throw new Error("no deployment");
  const model = await sources.open("sonnet", deployment);
  const events = await eventsOf(model, ask("hello"));
  return { failure: stopOf(events)?.failure, sent: receipts() };
}

test("a key alone sends nothing: the door has no rule for a cloud that is not allowed", async () => {
  const { failure, sent } = await askCloud("never", "sk-key");
  expect([failure?.code, sent]).toEqual(["door.refused", []]);
});

test("without a key nothing is sent either, and the sentence names it and its place", async () => {
  const { failure, sent } = await askCloud("when-asked", undefined);
  expect(failure?.sentence).toBe(
    `cloud.invalid wants a key and there is none: run agent setup --key ANTHROPIC_API_KEY.`,
  );
  expect(sent).toEqual([]);
});
