import { writeFile, rm, mkdir } from "node:fs/promises";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { botHome } from "../fakes/telegram/home.ts";
import { openTelegram, type FakeTelegram } from "../fakes/telegram/server.ts";

import { seeded } from "./seeded.ts";
import { assistant, createCrowd, type Crowd, groups, owners, script } from "./telegram-crowd.ts";
import { createJudge, type Judge, markText, type Written } from "./telegram-judge.ts";
import { createLives, type Life, type Lives } from "./telegram-life.ts";
import { createPlanner, createTrouble, type Plan, provoke } from "./telegram-plan.ts";
import type { Control } from "./telegram-settings.ts";

/** A conversation is quiet when all is answered; one that is not after this long is stuck. */
export const quietMs = 60_000;
/** A point that is not come to within this time is given up, and the process killed where it is. */
const patienceMs = 3000;
/** Most messages that wait for an answer at a time. */
const mostWaiting = 30;
const tickMs = 20;

/** What a campaign found. */
export interface Findings {
  readonly kills: number;
  /** Kills that fell when nothing that was accepted was unanswered. */
  readonly idleKills: number;
  /** Counted kills by point. */
  readonly points: ReadonlyMap<string, number>;
  readonly messages: number;
  readonly lost: number;
  readonly answeredTwice: number;
  readonly reordered: number;
  readonly stuck: number;
  readonly strays: number;
  /** Updates that the store had promised to keep and does not have. */
  readonly missingRows: number;
  /** Processes that ended by themselves. */
  readonly crashes: readonly string[];
  readonly violations: readonly string[];
  readonly recoveryMs: readonly number[];
  /** What to look at where something is wrong. */
  readonly examples: readonly string[];
}

/** How a campaign is run. */
export interface Campaign {
  readonly kills: number;
  readonly seed: number;
  /** Most seconds; fewer kills are made when they run out. */
  readonly seconds: number;
  readonly broken?: Control;
  /** After so many processes all is given time to become quiet. */
  readonly settleEvery?: number;
  /** Ends early when this is found. */
  readonly until?: (findings: Findings) => boolean;
  readonly onProgress?: (findings: Findings) => void;
}

interface Stage {
  readonly telegram: FakeTelegram;
  readonly lives: Lives;
  readonly judge: Judge;
  readonly crowd: Crowd;
  readonly random: () => number;
  readonly disturb: () => void;
  /** "chat/message" of what the store has accepted. */
  readonly accepted: Set<string>;
  /** Killed at this point of a call, when it comes. */
  trap: { readonly name: string; left: number; readonly life: Life } | undefined;
  hit: string | undefined;
}

function keyOf({ chat, messageId }: Written): string {
  return `${chat}/${messageId}`;
}

async function until(isTrue: () => boolean, ms: number): Promise<boolean> {
  const end = performance.now() + ms;
  while (!isTrue()) {
    if (performance.now() > end) return false;
    await pause(tickMs);
  }
  return true;
}

async function openStage({ seed, broken }: Campaign) {
  const random = seeded(seed);
  const telegram = await openTelegram();
  const home = await botHome(telegram, owners, script, groups);
  await mkdir(path.join(home, "config/agents"), { recursive: true });
  await writeFile(path.join(home, "config/agents/assistant.local.yaml"), assistant);
  const judge = createJudge(telegram);
  const stage: Stage = {
    telegram,
    lives: createLives(telegram, home),
    judge,
    crowd: createCrowd(telegram, judge, random),
    random,
    disturb: createTrouble(telegram, random),
    accepted: new Set(),
    trap: undefined,
    hit: undefined,
  };
  telegram.world.watchers.add((chat) => judge.touch(chat));
  telegram.onCall((step, method) => {
    const { trap } = stage;
    if (trap?.name === `${method} ${step}`) {
      trap.left -= 1;
      if (trap.left === 0) {
        trap.life.signal("SIGKILL");
        stage.hit = trap.name;
        stage.trap = undefined;
      }
    }
  });
  return { stage, home, broken };
}

/** People write and things go wrong until the process is over, or for so long. */
async function hustle(stage: Stage, life: Life, ms: number): Promise<void> {
  const { crowd, judge, random } = stage;
  const end = performance.now() + ms;
  while (!life.isOver() && performance.now() < end) {
    crowd.step();
    if (judge.unanswered().length < mostWaiting && random() < 0.6) crowd.anything();
    if (random() < 0.04) stage.disturb();
    await pause(tickMs);
  }
}

/** One process: it starts, recovers or not, and is killed. Gives the point, if it was come to, and how long the recovery took. */
async function live(stage: Stage, life: Life, plan: Plan, before: readonly Written[]) {
  const { crowd, judge, random } = stage;
  const { point } = plan;
  const open = new Set(before);
  const isRecovered = (): boolean => {
    for (const one of open) {
      if (!judge.verdictOf(one.chat).unanswered.includes(one)) open.delete(one);
    }
    return open.size === 0;
  };
  const setTrap = (): void => {
    if (point.type === "call") stage.trap = { name: point.name, left: plan.nth, life };
    if (plan.recoversFirst) life.signal("SIGUSR2");
  };
  let recoveryMs: number | undefined;
  if (!plan.recoversFirst) setTrap();
  await until(() => life.polls() || life.isOver(), quietMs);
  if (plan.recoversFirst && before.length > 0) {
    const recovered = await until(() => {
      crowd.step();
      return life.isOver() || isRecovered();
    }, quietMs / 3);
    if (recovered && !life.isOver()) recoveryMs = performance.now() - life.startedAt;
  }
  if (plan.recoversFirst) setTrap();
  provoke(point, crowd);
  if (plan.sleepsMs > 0) {
    await hustle(stage, life, random() * 300);
    life.signal("SIGSTOP");
    await hustle(stage, life, plan.sleepsMs);
    life.signal("SIGCONT");
  }
  await hustle(stage, life, point.type === "random" ? 100 + random() * 900 : patienceMs);
  stage.trap = undefined;
  const isOurs = !life.isOver();
  life.signal("SIGKILL");
  const code = await life.ended;
  return { recoveryMs, isOurs, code };
}

/** Waits until all is answered, or is not going to be. */
async function settle(stage: Stage, life: Life): Promise<"quiet" | "lost" | "stuck"> {
  const { crowd, judge, lives, telegram } = stage;
  const end = performance.now() + quietMs;
  let [idleSince, calls] = [0, 0];
  while (performance.now() < end) {
    crowd.step();
    // A process that does not poll yet does not listen to SIGTERM either.
    if (judge.unanswered().length === 0 && crowd.isDone() && life.polls()) return "quiet";
    if (life.isOver()) return "lost";
    const made = telegram.calls("editMessageText").length + telegram.calls("sendMessage").length;
    if (made !== calls || !life.polls()) idleSince = performance.now();
    calls = made;
    if (performance.now() - idleSince > 3000) {
      if (lives.isIdle()) return "lost";
      idleSince = performance.now() - 2000;
    }
    await pause(tickMs);
  }
  return "stuck";
}

/** Kills the bot again and again while people write, and judges by what is to be seen. */
export async function runTelegramCampaign(campaign: Campaign): Promise<Findings> {
  const { stage, home, broken } = await openStage(campaign);
  const { telegram, lives, judge, crowd } = stage;
  const plan = createPlanner(stage.random);
  const endsAt = performance.now() + campaign.seconds * 1000;
  const points = new Map<string, number>();
  const recoveryMs: number[] = [];
  const crashes: string[] = [];
  const counts = { kills: 0, idleKills: 0, missingRows: 0, stuck: 0, lives: 0 };
  const examples: string[] = [];
  let waiting: Written[] = [];
  const { settleEvery = 50 } = campaign;
  const extra = broken === undefined ? {} : { broken };

  /** A message with what its chat shows around it. */
  function show(one: Written): string {
    const around = telegram.seen(one.chat).filter(({ messageId, replyTo, texts }) => {
      const near = messageId > one.messageId && messageId < one.messageId + 10;
      return near || replyTo === one.messageId || texts.at(-1)?.includes(markText(one.mark));
    });
    const lines = around.map(({ messageId, replyTo, texts }) => {
      const [text = ""] = texts.slice(-1);
      return `  ${messageId} to ${replyTo}, ${texts.length} texts: ${text.slice(0, 200)} [...] ${text.slice(-60)}`;
    });
    return [JSON.stringify(one), ...lines].join("\n");
  }

  function findings(): Findings {
    const { messages, lost, twice, reordered, strays } = judge.totals();
    return {
      ...counts,
      points,
      messages,
      lost,
      answeredTwice: twice.length,
      reordered: reordered.length,
      strays,
      crashes,
      violations: telegram.violations,
      recoveryMs,
      examples,
    };
  }

  /** What the journal says since the last process, and whether the database agrees. */
  function readJournal(): string | undefined {
    let killed: string | undefined;
    const promised: string[] = [];
    for (const entry of lives.entries()) {
      if ("killed" in entry) killed = entry.killed;
      else {
        promised.push(...entry.accepted);
        for (const message of entry.messages) stage.accepted.add(message);
      }
    }
    counts.missingRows += lives.missing(promised);
    return killed;
  }

  const isOpen = (one: Written): boolean => stage.accepted.has(keyOf(one)) && one.kind !== "ask";

  /** Counts a kill; one that fell when nothing accepted was open proves nothing. */
  function count(killedAt: string, unanswered: readonly Written[]): void {
    counts.lives += 1;
    if (unanswered.some((one) => stage.accepted.has(keyOf(one)))) {
      counts.kills += 1;
      points.set(killedAt, (points.get(killedAt) ?? 0) + 1);
    } else counts.idleKills += 1;
  }

  async function killOnce(): Promise<void> {
    const next = plan();
    if (next.awayMs > 0) await pause(next.awayMs);
    stage.hit = undefined;
    const life = lives.start({ ...next.settings, ...extra });
    const { recoveryMs: recovered, isOurs, code } = await live(stage, life, next, waiting);
    if (recovered !== undefined) recoveryMs.push(recovered);
    if (code !== null) crashes.push(`exit ${code}: ${life.said()}`);
    const killedAt = readJournal() ?? stage.hit ?? (isOurs ? "at random" : "");
    const unanswered = judge.unanswered();
    count(killedAt, unanswered);
    waiting = unanswered.filter(isOpen);
  }

  /** A process that nothing goes wrong with, but what was left of faults. */
  async function settleOnce(): Promise<void> {
    telegram.mend();
    const life = lives.start({ clock: { startsAt: 0, afterMs: 0, jumpsTo: 0 }, ...extra });
    const end = await settle(stage, life);
    life.signal("SIGTERM");
    const code = await life.ended;
    if (code !== 0) crashes.push(`exit ${code} after SIGTERM: ${life.said()}`);
    readJournal();
    const left = judge.unanswered();
    crowd.forget();
    for (const one of left) {
      judge.giveUp(one);
      examples.push(`${end}: ${show(one)}`);
    }
    if (end === "stuck") counts.stuck += Math.max(1, left.length);
    waiting = [];
  }

  const isOver = (): boolean =>
    counts.kills >= campaign.kills ||
    performance.now() > endsAt ||
    campaign.until?.(findings()) === true;
  try {
    while (!isOver()) {
      await killOnce();
      if (counts.lives % settleEvery === 0) await settleOnce();
      if (counts.lives % 10 === 0) campaign.onProgress?.(findings());
    }
    if (campaign.until?.(findings()) !== true) await settleOnce();
    const { twice, reordered } = judge.totals();
    for (const one of twice) examples.push(`twice: ${show(one)}`);
    for (const one of reordered) examples.push(`out of order: ${show(one)}`);
    return findings();
  } finally {
    telegram.close();
    if (examples.length === 0) await rm(home, { recursive: true, force: true });
    else examples.push(`the home is kept in ${home}`);
  }
}
