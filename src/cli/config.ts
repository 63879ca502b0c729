import type { Setting } from "#core/settings-editor.ts";

import type { Output } from "./output.ts";

function valueText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Prints settings, one a line; those of the owner's own file are marked. */
export function printSettings(
  settings: readonly Setting[],
  output: Output,
  { json }: { readonly json: boolean },
): void {
  if (json) {
    output.line(JSON.stringify(settings));
    return;
  }
  for (const { key, value, own } of settings) {
    output.line(`${key} = ${valueText(value)}${own ? output.dim("  (yours)") : ""}`);
  }
}
