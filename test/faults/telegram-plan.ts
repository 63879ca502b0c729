import type { FakeTelegram } from "../fakes/telegram/server.ts";

import type { Crowd, Scene } from "./telegram-crowd.ts";
import { allPoints, type Point } from "./telegram-points.ts";
import type { ChildSettings } from "./telegram-settings.ts";

const hour = 3_600_000;
const wrongTimes = [0, 0, 0, -hour, hour, 24 * hour] as const;

/** How one process lives and dies. */
export interface Plan {
  readonly point: Point;
  readonly nth: number;
  /** What the process before it left is answered before this one is killed. */
  readonly recoversFirst: boolean;
  /** The process is stopped for so long. */
  readonly sleepsMs: number;
  /** Nobody answers for so long before its start. */
  readonly awayMs: number;
  readonly settings: Pick<ChildSettings, "armed" | "full" | "clock">;
}

function shuffled<One>(all: readonly One[], random: () => number): One[] {
  return all
    .map((one) => ({ one, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ one }) => one);
}

/** Points that a process comes to once, at its start, and those that it comes to seldom. */
const atStart = /getMe|forgetUpdates|heard/;
const seldom = /newConversation|setChat|amendMessage|cancelTasks|tried|addParts|sendChatAction/;

/** Plans lives so that every point has its turn before any has its next. */
export function createPlanner(random: () => number) {
  let left: Point[] = [];
  let wrongBy = 0;

  /** The clock goes on as wrong as it was, and now and then jumps. */
  function clock(): ChildSettings["clock"] {
    const startsAt = wrongBy;
    const jumps = random() < 0.1;
    if (jumps) wrongBy = wrongTimes[Math.floor(random() * wrongTimes.length)] ?? 0;
    return { startsAt, afterMs: 600 + Math.floor(random() * 800), jumpsTo: wrongBy };
  }

  function full(): Pick<ChildSettings, "full"> {
    if (random() > 0.08) return {};
    return {
      full: {
        afterMs: 500 + Math.floor(random() * 800),
        forMs: 100 + Math.floor(random() * 400),
      },
    };
  }

  return (): Plan => {
    if (left.length === 0) left = shuffled(allPoints(), random);
    const point = left.pop() ?? { type: "random", name: "at random" };
    const isAtStart = atStart.test(point.name);
    const recoversFirst = random() < 0.5 && !isAtStart;
    const nth = isAtStart || seldom.test(point.name) ? 1 : 1 + Math.floor(random() * 3);
    const armed = { point: point.name, nth, onSignal: recoversFirst };
    return {
      point,
      nth,
      recoversFirst,
      sleepsMs: random() < 0.03 ? 1000 + Math.floor(random() * 2000) : 0,
      awayMs: random() < 0.3 ? Math.floor(random() * 300) : 0,
      settings: { clock: clock(), ...full(), ...(point.type === "store" ? { armed } : {}) },
    };
  };
}

/** What must be written so that a point is come to. */
const scenes: Readonly<Record<string, Scene>> = {
  steerTask: "steer",
  takeSteers: "steer",
  askPerson: "asking",
  answerQuestion: "telling",
  answerCallbackQuery: "asking",
  cancelTasks: "stop all",
};

/** Has people write what leads to this point. */
export function provoke({ name }: Point, crowd: Crowd): void {
  const [first = "", second = ""] = name.split(" ");
  const write = first in scenes ? first : second;
  const scene = scenes[write];
  if (scene !== undefined) for (let i = 0; i < 3; i += 1) crowd.begin(scene);
  if (write === "amendMessage") for (let i = 0; i < 4; i += 1) crowd.burst(true);
  if (write === "newConversation") crowd.command("/new");
  if (write === "setChat") crowd.command("/tier");
  if (write === "addParts") crowd.command("/status");
}

const methods = [
  "sendMessage",
  "editMessageText",
  "getUpdates",
  "sendRichMessageDraft",
  "sendChatAction",
  "setMessageReaction",
  "answerCallbackQuery",
  "*",
] as const;
const kinds = ["lost", "lost", "lost", "reset", "slow", "broken"] as const;

/** Something goes wrong on the way to the platform or at it. */
export function createTrouble(telegram: FakeTelegram, random: () => number): () => void {
  const pick = <One>(from: readonly One[], fallback: One): One =>
    from[Math.floor(random() * from.length)] ?? fallback;
  let block = 1;
  const troubles: readonly (() => void)[] = [
    () => telegram.fail({ method: pick(methods, "*"), kind: pick(kinds, "lost"), delayMs: 400 }),
    () => telegram.fail({ method: pick(methods, "*"), kind: pick(kinds, "lost"), delayMs: 400 }),
    () => telegram.fail({ method: "editMessageText", kind: "lost" }),
    () => telegram.fail({ method: "sendMessage", kind: "lost" }),
    () => {
      const end = performance.now() + 200 + random() * 1000;
      telegram.fail({ method: "*", kind: "slowDown", until: () => performance.now() > end });
    },
    () => telegram.repeat(),
    () => telegram.shuffle(random),
    () => {
      // Telegram counts anew only where nothing has come for long; a number is never given twice.
      block += 1;
      const far = random() < 0.5 ? 2_000_000_000 - block * 1_000_000 : block * 1_000_000;
      if (telegram.waiting() === 0) telegram.jump(far);
    },
  ];
  return () => pick(troubles, () => undefined)();
}
