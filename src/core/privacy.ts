import { platformTitle } from "./departures.ts";

/**
 * What the owner decided about what may leave the home network. "local-only" shuts every cloud; "memories" and "files" let what
 * was remembered, and what files hold, go where the words of a conversation may go.
 */
export const privacyRules = ["local-only", "memories", "files"] as const;

/** One of those decisions. */
export type PrivacyRule = (typeof privacyRules)[number];

/** A decision and where it holds. */
export interface StoredRule {
  readonly rule: PrivacyRule;
  /** Null is everywhere. */
  readonly chatId: string | null;
}

/** What the owner decided, as it is stored; it holds from the next request on. */
export interface PrivacyStore {
  /** What holds for a task: its own, its chat's and what holds everywhere. Null asks for the last alone. */
  privacyRules(taskId: string | null): Promise<ReadonlySet<PrivacyRule>>;
  /** All that is stored for chats and everywhere, in the order of their making. */
  storedRules(): Promise<StoredRule[]>;
  /** Makes a rule hold, or not any more; resolves after the commit. */
  setRule(stored: StoredRule, holds: boolean): Promise<void>;
}

/** All that says how far anything may go. */
export interface PrivacyView {
  /** The owner's setting models.cloud. */
  readonly cloud: "never" | "when-asked" | "fallback";
  readonly rules: readonly StoredRule[];
  /** The chat services that the owner connected, by name. */
  readonly platforms: readonly string[];
}

/** A decision that was made, or unmade. */
export interface PrivacyChange extends StoredRule {
  readonly holds: boolean;
}

/** A way out of this machine, and what came of trying it. */
export interface CheckedPath {
  /** What goes that way, in words. */
  readonly path: string;
  /** Host and port; null where there is no such way. */
  readonly host: string | null;
  /**
   * "refused" was tried at the door and refused; "held" is refused before the door; "open" may leave, and was not tried; "none" is
   * not there; "failed" had to be refused and was not.
   */
  readonly outcome: "refused" | "held" | "open" | "none" | "failed";
  /** Why, and by which rule. */
  readonly reason: string;
}

/** What the owner sees and says of privacy. */
export interface PrivacyDesk {
  view(): Promise<PrivacyView>;
  /** Rejects with `usage.unknown-chat` where there is no such chat; resolves after the commit with what holds then. */
  change(change: PrivacyChange): Promise<PrivacyView>;
  /** Tries every way out that must be refused; sends nothing, and nothing of a person is in what is tried. */
  check(): Promise<CheckedPath[]>;
}

const cloudTexts = {
  never: "Cloud: never. No model in a cloud is asked.",
  "when-asked": "Cloud: only when you ask for it (--tier cloud, or /tier cloud in a chat).",
  fallback:
    "Cloud: when you ask for it, and for what you type in a private chat where no model at home can answer.",
} as const;

const ruleTexts: Readonly<Record<PrivacyRule, { readonly on: string; readonly off: string }>> = {
  "local-only": { on: "Local-only: on", off: "Local-only: off" },
  memories: {
    on: "Memories: may go where your words may",
    off: "Memories: stay at home",
  },
  files: { on: "Files: may go where your words may", off: "Files: stay at home" },
};

/** Where a rule holds, among the places that `chatId` may see: null sees all. */
function placesOf(
  { rules }: PrivacyView,
  rule: PrivacyRule,
  chatId: string | null,
): { readonly everywhere: boolean; readonly chats: readonly string[] } {
  const held = rules.filter((stored) => stored.rule === rule);
  const chats = held.flatMap((stored) => stored.chatId ?? []);
  return {
    everywhere: held.some((stored) => stored.chatId === null),
    chats: chatId === null ? chats : chats.filter((id) => id === chatId),
  };
}

function ruleLine(view: PrivacyView, rule: PrivacyRule, chatId: string | null): string {
  const { everywhere, chats } = placesOf(view, rule, chatId);
  const { on, off } = ruleTexts[rule];
  if (everywhere) return `${on}, everywhere.`;
  if (chats.length === 0) return `${off}.`;
  return chatId === null ? `${on} in ${chats.join(", ")}; elsewhere not.` : `${on} in this chat.`;
}

function platformsLine({ platforms }: PrivacyView): string {
  if (platforms.length === 0) return "Connected: no chat service.";
  const names = platforms.map(platformTitle).join(", ");
  return `Connected: ${names}, for the words of its own chats; local-only leaves that on.`;
}

/** What holds, in words, a line each; for a chat only what holds there. */
export function privacyLines(view: PrivacyView, chatId: string | null = null): string[] {
  return [
    cloudTexts[view.cloud],
    ...privacyRules.map((rule) => ruleLine(view, rule, chatId)),
    platformsLine(view),
  ];
}

function localOnlyText(view: PrivacyView, holds: boolean, where: string): string {
  if (!holds) return `Local-only is off ${where}.`;
  const names = view.platforms.map(platformTitle).join(" and ");
  const goOn = view.platforms.length > 1 ? "go on: they carry" : "goes on: it carries";
  const chats = names === "" ? "" : ` ${names} ${goOn} the words of its own chats.`;
  return `Local-only is on ${where}: no cloud is reached.${chats}`;
}

/** Why no cloud is reached from a chat, whatever is asked of one there, with a space before it; "" where one may be. */
export function shutText(view: PrivacyView, chatId: string | null): string {
  if (view.cloud === "never") {
    return " No cloud is allowed yet: agent config set models.cloud when-asked.";
  }
  const shut = placesOf(view, "local-only", chatId);
  return shut.everywhere || shut.chats.length > 0 ? " Local-only is on, and goes before it." : "";
}

/** Why a change does not have the effect that its words have. */
function despite(view: PrivacyView, { rule, chatId, holds }: PrivacyChange): string {
  const { everywhere, chats } = placesOf(view, rule, null);
  if (!holds && chatId !== null && everywhere) return " It still holds everywhere, so also there.";
  if (!holds && chatId === null && chats.length > 0) {
    return ` It still holds in ${chats.join(", ")}.`;
  }
  return !holds || rule === "local-only" ? "" : shutText(view, chatId);
}

/** What a change came to, in words; `where` names its place: "in this chat", "everywhere". `view` is what holds after it. */
export function changeText(view: PrivacyView, change: PrivacyChange, where: string): string {
  const { rule, holds } = change;
  const what = rule === "memories" ? "What is remembered" : "What files hold";
  const said =
    rule === "local-only"
      ? localOnlyText(view, holds, where)
      : `${what} ${holds ? "may go where your words may" : "stays at home"}, ${where}.`;
  return `${said}${despite(view, change)}`;
}
