import { exitCodes } from "#core/errors.ts";

import type { Output } from "./output.ts";
import type { Check } from "./services.ts";

const signs = { ok: "ok     ", warning: "warning", failed: "FAILED ", off: "off    " } as const;

/** Prints each check with its reason and its fix; the exit code is 1 when one failed. */
export function reportChecks(
  checks: readonly Check[],
  output: Output,
  options: { readonly json: boolean },
): number {
  if (options.json) output.line(JSON.stringify(checks));
  else {
    for (const { name, state, reason, fix } of checks) {
      output.line(`${signs[state]}  ${name}: ${reason}`);
      if (fix !== undefined) output.line(`         ${output.bold("Fix:")} ${fix}`);
    }
  }
  return checks.some((check) => check.state === "failed") ? exitCodes.failed : exitCodes.ok;
}
