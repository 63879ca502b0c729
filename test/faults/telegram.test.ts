import { expect, test } from "vitest";

import { runTelegramCampaign } from "./telegram-campaign.ts";
import { runControl } from "./telegram-run.ts";

const seed = Date.now() % 1_000_000;

test(`killed while people write, every message is answered once and in order (seed ${seed})`, async () => {
  const found = await runTelegramCampaign({ kills: 10, seed, seconds: 15 });
  expect(found.examples).toEqual([]);
  expect(found).toMatchObject({
    lost: 0,
    answeredTwice: 0,
    reordered: 0,
    stuck: 0,
    missingRows: 0,
    crashes: [],
    violations: [],
  });
  expect(found.kills).toBeGreaterThan(0);
}, 150_000);

test("the campaign finds a store that promises what it has not committed", async () => {
  expect(await runControl("lying-store", { seed: 5, seconds: 60 })).toBeGreaterThan(0);
}, 150_000);
