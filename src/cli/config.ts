import type { Setting } from "#core/settings-editor.ts";

import type { Output } from "./output.ts";
import type { Holder } from "./services.ts";

function valueText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/**
 * Says when a process which runs takes up what was written, if one does: a service looks for changes of the models' settings, and
 * has everything else of its start.
 */
export function noteRunning(
  holder: Holder | undefined,
  output: Output,
  written: "models" | "other",
): void {
  holder?.close();
  if (holder === undefined) return;
  output.note(
    written === "models" && holder.hello.kind === "service"
      ? "The service that runs takes it up within seconds."
      : "The agent that runs read its settings at its start: agent stop, then agent serve.",
  );
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
