import { expect, test } from "vitest";

import { runTaskCampaign } from "./task-campaign.ts";

const campaign = { kills: 30, seed: Date.now() % 1_000_000, seconds: 30 };

test(`killed at any point, every task ends once and no stored step runs again (seed ${campaign.seed})`, async () => {
  const verdict = await runTaskCampaign({ ...campaign, forgetSteps: false });
  expect(verdict).toMatchObject({
    repeatedAfterStored: 0,
    endedTwice: 0,
    wrongEnds: 0,
    bugs: 0,
    open: 0,
    missing: 0,
  });
  expect(verdict.ended).toBeGreaterThan(0);
}, 90_000);

test("the campaign finds a store that forgets its steps", async () => {
  const verdict = await runTaskCampaign({ kills: 25, seed: 2, seconds: 20, forgetSteps: true });
  expect(verdict.repeatedAfterStored).toBeGreaterThan(0);
}, 60_000);
