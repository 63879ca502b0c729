import { expect, test } from "vitest";

import { createRedactor } from "../../src/core/redact.ts";
import type { RouteAsk, Router } from "../../src/core/router.ts";
import { createSecret } from "../../src/core/secret.ts";
import { createRedactingRouter } from "../../src/models/redacting-router.ts";
import { never } from "../contract/ask.ts";
import { askWith } from "../fakes/router.ts";

const limits = {
  contextTokens: 512,
  promptBudget: 500,
  tools: true,
  bare: false,
  maxAnswerTokens: 9,
};

test("no prompt holds a secret, neither of an answer nor of what is read ahead in idle time", async () => {
  const read: string[] = [];
  const take = (ask: RouteAsk): void => {
    read.push(...ask.build(limits).messages.map(({ text }) => text));
  };
  const router: Router = {
    // oxlint-disable-next-line require-yield -- there is nothing to say
    async *stream(ask) {
      take(ask);
    },
    warm(ask) {
      take(ask);
      return Promise.resolve("read");
    },
    explain: () => Promise.resolve([]),
  };
  const redactor = createRedactor();
  redactor.add(createSecret("DOOR_CODE", "open-sesame"));
  const redacting = createRedactingRouter(router, redactor);
  const text = "The code is open-sesame.";
  const ask = askWith({
    build: () => ({ messages: [{ role: "system", text }], tools: [], maxTokens: 9 }),
  });
  await Array.fromAsync(redacting.stream(ask, never));
  expect(await redacting.warm(ask, never)).toBe("read");
  expect(read).toEqual(["The code is [secret].", "The code is [secret]."]);
});
