import { expect, test } from "vitest";

import { runTelegramCampaign } from "./telegram-campaign.ts";

const campaign = { kills: 15, seed: Date.now() % 1_000_000, seconds: 30 };

test(`killed while people write, every message is answered once and in order (seed ${campaign.seed})`, async () => {
  const verdict = await runTelegramCampaign(campaign);
  expect(verdict).toMatchObject({ lost: 0, answeredTwice: 0, reordered: 0 });
  expect(verdict.kills).toBeGreaterThan(0);
}, 120_000);
