import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

import { botHome } from "../test/fakes/telegram/home.ts";
import { type FakeTelegram, openTelegram } from "../test/fakes/telegram/server.ts";
import { bareCommitMs } from "./bare-commit.ts";
import { openInspector } from "./inspector.ts";
import { residentMb, startService } from "./program.ts";
import { type BenchResult, figure, resultOf } from "./result.ts";

const people = 20;
const warmUps = 50;
const messages = 300;
const loopMessages = 3000;
/** The growth of memory is told from the first of these on. */
const settledAt = 1000;
const longRun = 10_000;
const firstPerson = 100;

const script = 'scenes: [{ replies: [{ text: "{words}" }] }]\n';

/** Sends words and waits until they are to be read; gives milliseconds. Different people may wait at the same time. */
function createAsking(telegram: FakeTelegram) {
  const waiting = new Map<number, { readonly words: string; readonly resolve: () => void }>();
  telegram.watch(({ chatId, texts }) => {
    const mine = waiting.get(chatId);
    if (mine !== undefined && mine.words === texts.at(-1)) mine.resolve();
  });
  return async (from: number, words: string): Promise<number> => {
    const start = performance.now();
    const read = new Promise<void>((resolve) => waiting.set(from, { words, resolve }));
    telegram.write({ from, text: words });
    await read;
    return performance.now() - start;
  };
}

type Ask = ReturnType<typeof createAsking>;

function percentile(times: readonly number[], part: number): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * part)] ?? 0;
}

/** Seconds of processor time that a process has used (proc(5), a hundred ticks a second). */
async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Every person writes again as soon as the answer is there. */
async function closedLoop(
  ask: Ask,
  count: number,
): Promise<{ readonly times: number[]; readonly perSecond: number }> {
  const times: number[] = [];
  const start = performance.now();
  const one = async (_: unknown, i: number): Promise<void> => {
    for (let n = 0; n < count / people; n += 1) {
      times.push(await ask(firstPerson + i, `loop ${i} ${n}`));
    }
  };
  await Promise.all(Array.from({ length: people }, one));
  return { times, perSecond: (count / (performance.now() - start)) * 1000 };
}

/** A service from its start to its first poll and its first answer, idle after that. */
async function begin(telegram: FakeTelegram, home: string, ask: Ask) {
  const polls = telegram.calls("getUpdates").length;
  const start = performance.now();
  const service = await startService(home, { TELEGRAM_BOT_TOKEN: telegram.token });
  while (telegram.calls("getUpdates").length === polls) await pause(2);
  const firstPollMs = performance.now() - start;
  const firstMs = await ask(firstPerson, `first after ${polls}`);
  await pause(2000);
  const idleMb = await residentMb(service.pid ?? 0, "VmRSS");
  return { service, firstPollMs, firstMs, idleMb };
}

async function end(service: ChildProcess): Promise<void> {
  service.kill("SIGTERM");
  await once(service, "exit");
}

async function measure(telegram: FakeTelegram, home: string) {
  const ask = createAsking(telegram);
  // In a home that is new nothing is compiled yet; from then on it is, as wherever a service is restarted.
  const cold = await begin(telegram, home, ask);
  await end(cold.service);
  const { service, ...warm } = await begin(telegram, home, ask);
  for (let i = 0; i < warmUps; i += 1) await ask(firstPerson, `warm ${i}`);
  const pid = service.pid ?? 0;
  const cpuBefore = await cpuSeconds(pid);
  const times: number[] = [];
  for (let i = 0; i < messages; i += 1) times.push(await ask(firstPerson, `one ${i}`));
  const cpuMs = ((await cpuSeconds(pid)) - cpuBefore) * (1000 / messages);
  const loop = await closedLoop(ask, loopMessages);
  await end(service);
  return { cold, warm, times, cpuMs, loop };
}

/** How memory grows between the first messages and many more, of a service of its own. */
async function growth(telegram: FakeTelegram, home: string) {
  const ask = createAsking(telegram);
  const service = await startService(home, {
    TELEGRAM_BOT_TOKEN: telegram.token,
    NODE_OPTIONS: "--inspect-port=0",
  });
  const memory = async () => ({
    heapMb: await inspector.liveHeapMb(),
    residentMb: await residentMb(service.pid ?? 0, "VmRSS"),
  });
  await closedLoop(ask, settledAt);
  const inspector = await openInspector(service);
  const before = await memory();
  await closedLoop(ask, longRun - settledAt);
  const after = await memory();
  inspector.close();
  await end(service);
  return {
    heapMb: after.heapMb - before.heapMb,
    residentMb: after.residentMb - before.residentMb,
  };
}

/** How long a message to the bot takes until its answer can be read, with a model that answers at once. */
export async function run(): Promise<BenchResult> {
  const telegram = await openTelegram();
  const owners = Array.from({ length: people }, (_, i) => firstPerson + i);
  const home = await botHome(telegram, owners, script);
  try {
    const commitMs = bareCommitMs(home);
    const { cold, warm, times, cpuMs, loop } = await measure(telegram, home);
    const grown = await growth(telegram, home);
    return resultOf("telegram", 0, [
      figure("bare commit ms", commitMs),
      figure("one chat p50 ms", percentile(times, 0.5), 8 + 3 * commitMs),
      figure("one chat p95 ms", percentile(times, 0.95), 20 + 3 * commitMs),
      figure("one chat CPU ms", cpuMs, 7),
      figure("20 chats p95 ms", percentile(loop.times, 0.95), 180),
      figure("20 chats seconds per 1000 messages", 1000 / loop.perSecond, 1000 / 150),
      figure("start to first poll ms", warm.firstPollMs, 700),
      figure("first message ms", warm.firstMs, 100),
      figure("idle MB", warm.idleMb, 130),
      figure("first start in a new home: first poll ms", cold.firstPollMs),
      figure("first start in a new home: first message ms", cold.firstMs),
      figure("first start in a new home: idle MB", cold.idleMb),
      figure("live heap after 10,000 messages MB more", grown.heapMb, 5),
      figure("resident after 10,000 messages MB more", grown.residentMb, 40),
    ]);
  } finally {
    telegram.close();
    await rm(home, { recursive: true, force: true });
  }
}
