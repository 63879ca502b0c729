import { exitCodes } from "#core/errors.ts";
import type { Operations } from "#core/operations.ts";
import {
  changeText,
  type CheckedPath,
  type PrivacyChange,
  privacyLines,
  type PrivacyRule,
} from "#core/privacy.ts";

import { type Output, plainText } from "./output.ts";
import { terminalChat } from "./terminal-chat.ts";

/** How a command about privacy answers, and the chat that it is about. */
interface Answering {
  readonly output: Output;
  readonly json: boolean;
  /** A chat's id, or the name of one of the terminal's; absent is everywhere. */
  readonly chat: string | undefined;
}

type Decision = Pick<PrivacyChange, "rule" | "holds">;

/** What "local-only on" or "allow memories" decides; undefined for what is neither. */
function decisionOf(action: string, what: string): Decision | undefined {
  if (action === "local-only") {
    return what === "on" || what === "off" ? { rule: action, holds: what === "on" } : undefined;
  }
  const rules: readonly PrivacyRule[] = ["memories", "files"];
  const rule = rules.find((name) => name === what);
  if (rule === undefined || (action !== "allow" && action !== "deny")) return undefined;
  return { rule, holds: action === "allow" };
}

async function show(operations: Operations, { output, json }: Answering): Promise<number> {
  const view = await operations.privacy({});
  if (json) output.line(JSON.stringify(view));
  else for (const line of privacyLines(view)) output.line(plainText(line));
  return exitCodes.ok;
}

const outcomes: Readonly<Record<CheckedPath["outcome"], string>> = {
  refused: "refused",
  held: "refused",
  open: "may leave",
  none: "none",
  failed: "NOT REFUSED",
};

/** One way out, and what holds of it. */
function pathLine({ path, host, outcome, reason }: CheckedPath): string {
  const where = host === null ? path : `${path} (${host})`;
  return plainText(`${outcomes[outcome].padEnd(11)}  ${where}: ${reason}`);
}

async function check(operations: Operations, { output, json }: Answering): Promise<number> {
  const paths = await operations.checkPrivacy({});
  if (json) output.line(JSON.stringify(paths));
  else for (const path of paths) output.line(pathLine(path));
  const failed = paths.filter(({ outcome }) => outcome === "failed").length;
  if (failed === 0) return exitCodes.ok;
  output.note(
    `${failed} of these had to be refused and were not: that is a bug, please report it.`,
  );
  return exitCodes.failed;
}

async function change(
  operations: Operations,
  decision: Decision,
  { output, json, chat }: Answering,
): Promise<number> {
  const named = chat?.includes(":") === false ? terminalChat(chat) : chat;
  const made = { ...decision, chatId: named ?? null };
  const view = await operations.setPrivacy(made);
  const where = named === undefined ? "everywhere" : `in ${named}`;
  output.line(json ? JSON.stringify(view) : plainText(changeText(view, made, where)));
  return exitCodes.ok;
}

/** Runs `agent privacy`; undefined, and nothing done, for words that it does not know. */
export async function privacy(
  operations: Operations,
  { action, what }: { readonly action: string; readonly what: string },
  answering: Answering,
): Promise<number | undefined> {
  if (what === "" && action === "show") return show(operations, answering);
  if (what === "" && action === "check") return check(operations, answering);
  const decision = decisionOf(action, what);
  return decision === undefined ? undefined : change(operations, decision, answering);
}
