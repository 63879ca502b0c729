import type { Clock } from "#core/clock.ts";
import { carrierOf, departureLines } from "#core/departures.ts";
import { AppError } from "#core/errors.ts";
import {
  changeText,
  type PrivacyChange,
  type PrivacyDesk,
  privacyLines,
  type PrivacyRule,
} from "#core/privacy.ts";
import type { Store } from "#core/store.ts";

import type { Command, CommandPlace } from "./command.ts";

/** What the command works with. */
export interface PrivacyCommandDeps {
  readonly privacy: PrivacyDesk;
  readonly store: Pick<Store, "departures">;
  readonly clock: Clock;
}

const usage = `/privacy shows what holds and what left this machine.
/privacy local-only on (or off) shuts every cloud for this chat.
/privacy allow memories (or files) lets them go where your words may; /privacy deny keeps them at home.
With everywhere at the end it holds in every chat.`;

const dayMs = 86_400_000;

type Decision = Pick<PrivacyChange, "rule" | "holds">;

/** What "local-only on" or "allow memories" decides; undefined for what is neither. */
function decisionIn(words: readonly string[]): Decision | undefined {
  const [first = "", second = "", ...rest] = words;
  if (rest.length > 0) return undefined;
  const isMode = first === "local-only" && (second === "on" || second === "off");
  if (isMode) return { rule: "local-only", holds: second === "on" };
  const isVerb = first === "allow" || first === "deny";
  const rule = (["memories", "files"] satisfies PrivacyRule[]).find((name) => name === second);
  return isVerb && rule !== undefined ? { rule, holds: first === "allow" } : undefined;
}

/** The command about what may leave, and what did. */
export function createPrivacyCommand({ privacy, store, clock }: PrivacyCommandDeps): Command {
  /** What left for all chats is the owner's to know, and nobody reads along in a chat of two. */
  async function left({ chat, role }: CommandPlace): Promise<string[]> {
    if (role !== "owner" || chat.kind !== "direct") return [];
    const gone = await store.departures(clock.now() - dayMs);
    return ["In the last 24 hours:", ...departureLines(gone, carrierOf(chat.id))];
  }

  async function show(place: CommandPlace): Promise<string> {
    const [view, gone] = await Promise.all([privacy.view(), left(place)]);
    return [...privacyLines(view, place.chat.id), ...gone].join("\n");
  }

  async function change(words: readonly string[], { role, chat }: CommandPlace): Promise<string> {
    const isEverywhere = words.at(-1) === "everywhere";
    const decision = decisionIn(isEverywhere ? words.slice(0, -1) : words);
    if (decision === undefined) return usage;
    if (role !== "owner") throw new AppError("people.not-owner");
    const made = { ...decision, chatId: isEverywhere ? null : chat.id };
    const view = await privacy.change(made);
    return changeText(view, made, isEverywhere ? "everywhere" : "in this chat");
  }

  return {
    name: "privacy",
    about: "what may leave your machine, and what did",
    shownTo: "all",
    run({ words }, place) {
      const said = words.toLowerCase().split(/\s+/).filter(Boolean);
      return said.length === 0 ? show(place) : change(said, place);
    },
  };
}
