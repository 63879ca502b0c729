import { once } from "node:events";
import { rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

import { startService } from "../../bench/program.ts";
import { type BenchResult, figure, resultOf } from "../../bench/result.ts";
import { botHome } from "../fakes/telegram/home.ts";
import { type FakeTelegram, openTelegram } from "../fakes/telegram/server.ts";

import { seeded } from "./seeded.ts";

const people = 20;
const firstPerson = 100;
/** A conversation is quiet when all is answered; one that is not after this long is stuck. */
const quietMs = 60_000;

const script = `scenes:
  - { when: slow, replies: [{ text: "{words}", piece: 40, delay: 120 }] }
  - { replies: [{ text: "{words}", piece: 60, delay: 10 }] }
`;

/** What a person reads at the end, against what was written. */
export interface Verdict {
  readonly messages: number;
  readonly lost: number;
  readonly answeredTwice: number;
  readonly reordered: number;
  readonly strays: number;
}

/** Compares, for each chat, what was written with what is to be seen: every message's mark in one answer, in order. */
function judge(telegram: FakeTelegram, written: ReadonlyMap<number, readonly string[]>): Verdict {
  let [messages, lost, answeredTwice, reordered, strays] = [0, 0, 0, 0, 0];
  for (const [chat, marks] of written) {
    const texts = telegram.seen(chat).map((seen) => seen.texts.at(-1) ?? "");
    strays += texts.filter((text) => text === "…").length;
    const found = texts.flatMap((text) => text.match(/<\d+>/g) ?? []);
    messages += marks.length;
    lost += marks.filter((mark) => !found.includes(mark)).length;
    answeredTwice += found.length - new Set(found).size;
    const numbers = found.map((mark) => Number(mark.slice(1, -1)));
    reordered += numbers.filter((number, i) => number < (numbers[i - 1] ?? 0)).length;
  }
  return { messages, lost, answeredTwice, reordered, strays };
}

/** People who write in bursts. */
function createPeople(telegram: FakeTelegram, random: () => number) {
  const written = new Map<number, string[]>();
  const state = { next: 1 };
  return {
    written,
    burst(): void {
      const from = firstPerson + Math.floor(random() * people);
      const count = random() < 0.2 ? 5 : 1;
      for (let i = 0; i < count; i += 1) {
        const mark = `<${state.next++}>`;
        telegram.write({ from, text: random() < 0.2 ? `slow ${mark}` : `quick ${mark}` });
        written.set(from, [...(written.get(from) ?? []), mark]);
      }
    },
  };
}

function open(telegram: FakeTelegram, written: ReadonlyMap<number, readonly string[]>): number {
  return judge(telegram, written).lost;
}

function disturb(telegram: FakeTelegram, random: () => number): void {
  const methods = ["sendMessage", "editMessageText", "getUpdates"] as const;
  const kinds = ["lost", "slowDown", "broken"] as const;
  const method = methods[Math.floor(random() * methods.length)] ?? "sendMessage";
  const kind = kinds[Math.floor(random() * kinds.length)] ?? "lost";
  telegram.fail({ method, kind });
  if (random() < 0.3) telegram.repeat();
}

/** A little while in which people write and things go wrong. */
async function hustle(
  telegram: FakeTelegram,
  crowd: ReturnType<typeof createPeople>,
  random: () => number,
): Promise<void> {
  for (let i = 0; i < 8; i += 1) {
    crowd.burst();
    if (random() < 0.2) disturb(telegram, random);
    await pause(random() * 30);
  }
}

/** Kills the service again and again while people write; a kill counts only where a message was unanswered. */
export async function runTelegramCampaign(options: {
  readonly kills: number;
  readonly seed: number;
  readonly seconds: number;
}): Promise<Verdict & { readonly kills: number; readonly recoveryMs: readonly number[] }> {
  const random = seeded(options.seed);
  const telegram = await openTelegram();
  const owners = Array.from({ length: people }, (_, i) => firstPerson + i);
  const home = await botHome(telegram, owners, script);
  const env = { TELEGRAM_BOT_TOKEN: telegram.token };
  const crowd = createPeople(telegram, random);
  const { written } = crowd;
  const until = Date.now() + options.seconds * 1000;
  const recoveryMs: number[] = [];
  let kills = 0;
  try {
    while (kills < options.kills && Date.now() < until) {
      const service = await startService(home, env);
      const before = telegram.calls("getUpdates").length;
      while (telegram.calls("getUpdates").length === before) await pause(5);
      await hustle(telegram, crowd, random);
      await pause(random() * 200);
      if (open(telegram, written) > 0) kills += 1;
      service.kill("SIGKILL");
      await once(service, "exit");
    }
    const last = performance.now();
    const service = await startService(home, env);
    while (open(telegram, written) > 0 && performance.now() - last < quietMs) await pause(50);
    recoveryMs.push(performance.now() - last);
    // An answer that came twice would come now.
    await pause(2000);
    service.kill("SIGTERM");
    await once(service, "exit");
    return { ...judge(telegram, written), kills, recoveryMs };
  } finally {
    telegram.close();
    await rm(home, { recursive: true, force: true });
  }
}

/** The campaign as a result. */
export async function run(options: { kills: number; seed: number }): Promise<BenchResult> {
  const real = await runTelegramCampaign({ ...options, seconds: 3600 });
  return resultOf("telegram", options.seed, [
    figure("kills while a message was unanswered", real.kills),
    figure("messages", real.messages),
    figure("lost", real.lost, 0),
    figure("answered twice", real.answeredTwice, 0),
    figure("reordered", real.reordered, 0),
    figure("stray placeholders", real.strays),
    figure("all answered after the last start ms", real.recoveryMs[0] ?? 0, quietMs),
  ]);
}
