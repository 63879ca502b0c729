import { expect, test } from "vitest";

import { trustOf } from "../../src/core/trust.ts";

test.each([
  ["localhost", "local"],
  ["127.8.8.8", "local"],
  ["[::1]", "local"],
  ["10.1.2.3", "lan"],
  ["172.31.0.1", "lan"],
  ["100.64.0.1", "lan"],
  ["100.128.0.1", "cloud"],
  ["172.32.0.1", "cloud"],
  ["nas.local", "lan"],
  ["fd00::1", "lan"],
  ["febf::1", "lan"],
  ["fd::1", "cloud"],
  ["fe8::1", "cloud"],
  ["example.com", "cloud"],
  ["localhost.evil.example", "cloud"],
])("%s is trusted as %s", (host, trust) => {
  expect(trustOf(host)).toBe(trust);
});
