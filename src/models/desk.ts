import type { Clock } from "#core/clock.ts";
import type { Attempt } from "#core/route.ts";
import type { RouteAsk, RoutedEvent } from "#core/router.ts";
import type { ModelSettings } from "#core/settings.ts";
import { trustOf } from "#core/trust.ts";

import type { Candidate } from "./candidates.ts";
import { type Circuits, createCircuits } from "./routing/circuit.ts";
import {
  createSlots,
  type Place,
  type Slot,
  type Slots,
  type Wait,
  type Want,
} from "./routing/slots.ts";
import { createSpeeds, type Speeds } from "./routing/speeds.ts";

/** A candidate's slot, and how long it was waited for. */
export interface Seat {
  readonly candidate: Candidate;
  readonly queuedMs: number;
  readonly leave: () => void;
}

/** What is known of the hosts while the program runs: who works, who waits, who rests, how fast they are. */
export interface Desk {
  readonly circuits: Circuits;
  readonly speeds: Speeds;
  /** A slot of one of the candidates, if one is free now. */
  seatNow(
    ask: Pick<RouteAsk, "task" | "priority">,
    candidates: readonly Candidate[],
  ): Seat | undefined;
  /** Waits for a slot of one of the candidates, and says so; undefined when the signal aborts before. */
  seat(
    ask: Pick<RouteAsk, "task" | "priority">,
    candidates: readonly Candidate[],
    signal: AbortSignal,
  ): AsyncGenerator<RoutedEvent, Seat | undefined>;
  /** Learns from an attempt that was made at a host. */
  learn(candidate: Candidate, ask: Pick<RouteAsk, "task">, attempt: Attempt): void;
  /** Milliseconds until work that comes now would begin at a host. */
  readonly waitMs: (host: string) => number;
}

/** What a home machine loses by putting one model away for another, until it has been measured. */
const loadMs = 3000;
/** What a request is taken for where nothing was measured yet. */
const unmeasuredMs = 3000;
const cloudParallel = 8;
/** Embedded models and those of a script are no hosts of the settings; a script answers any number at once. */
const engineParallel = 1;
const scriptParallel = 1000;

function parallelOf({ hosts }: ModelSettings, name: string): number {
  const host = hosts[name];
  if (host === undefined) return engineParallel;
  if (host.max_parallel !== undefined) return host.max_parallel;
  if (host.kind === "scripted") return scriptParallel;
  return trustOf(new URL(host.url).hostname) === "cloud" ? cloudParallel : 1;
}

interface Held extends Place {
  readonly candidate: Candidate;
}

function conversationOf({ chatId, conversation, agent }: RouteAsk["task"]): string {
  return `${chatId} ${conversation} ${agent}`;
}

/** How long work is expected to take where; learns from what was done. */
function createExpectations() {
  const speeds = createSpeeds();
  /** What each host answered last, and for which conversation: it has that model loaded, and that prompt's beginning. */
  const last = new Map<string, { readonly deployment: string; readonly conversation: string }>();

  function workMs({ host, deployment, trust }: Candidate, task: RouteAsk["task"]) {
    const before = last.get(host);
    const isLoaded = trust === "cloud" || before === undefined || before.deployment === deployment;
    const isKnown =
      before?.deployment === deployment && before.conversation === conversationOf(task);
    const ms = speeds.workMs(deployment, isKnown);
    return ms === undefined ? undefined : ms + (isLoaded ? 0 : loadMs);
  }

  return {
    speeds,
    learn({ host, deployment }: Candidate, task: RouteAsk["task"], attempt: Attempt): void {
      if (attempt.outcome !== "ok") return;
      speeds.observe(attempt);
      last.set(host, { deployment, conversation: conversationOf(task) });
    },
    /** Who was never measured is taken for as good as the best, so that it soon is measured. */
    placesOf(candidates: readonly Candidate[], task: RouteAsk["task"]): Held[] {
      const heaviest = candidates.toSorted((a, b) => b.weight - a.weight);
      const works = heaviest.map((candidate) => workMs(candidate, task));
      const known = works.filter((ms) => ms !== undefined);
      const usual = known.length === 0 ? unmeasuredMs : Math.min(...known);
      return heaviest.map((candidate, at) => {
        return { host: candidate.host, candidate, workMs: works[at] ?? usual };
      });
    },
  };
}

/** Waits for a slot, saying so; undefined when the signal aborts before. */
async function* waitForSlot(
  slots: Slots,
  want: Omit<Want<Held>, "onWait">,
): AsyncGenerator<RoutedEvent, Slot<Held> | undefined> {
  const waits: Wait[] = [];
  const leaving = new AbortController();
  const state = { wake: () => {}, seated: false };
  const onWait = (wait: Wait): void => {
    waits.push(wait);
    state.wake();
  };
  const signal = AbortSignal.any([want.signal, leaving.signal]);
  const taking = slots.take({ ...want, signal, onWait }).catch(() => undefined);
  try {
    for (;;) {
      const news = new Promise<"news">((resolve) => (state.wake = () => resolve("news")));
      const got = waits.length > 0 ? "news" : await Promise.race([taking, news]);
      if (got !== "news") {
        state.seated = true;
        return got;
      }
      for (const wait of waits.splice(0)) yield { type: "wait", ...wait };
    }
  } finally {
    leaving.abort("left");
    // Nobody is there any more to take a slot that came in the meantime.
    if (!state.seated) void taking.then((slot) => slot?.release());
  }
}

function seatOf({ place, release }: Slot<Held>, queuedMs: number): Seat {
  return { candidate: place.candidate, queuedMs, leave: release };
}

/** The desk over the hosts of the settings. */
export function createDesk(settings: ModelSettings, clock: Clock): Desk {
  const parallel = new Map(
    Object.keys(settings.hosts).map((host) => [host, parallelOf(settings, host)]),
  );
  const slots = createSlots(clock, (host) => parallel.get(host) ?? engineParallel);
  const expected = createExpectations();
  return {
    circuits: createCircuits(clock),
    speeds: expected.speeds,
    learn: (candidate, { task }, attempt) => expected.learn(candidate, task, attempt),
    waitMs: (host) => slots.waitMs(host),
    async *seat({ task, priority }, candidates, signal) {
      const since = clock.elapsed();
      const places = expected.placesOf(candidates, task);
      const slot = yield* waitForSlot(slots, { places, priority, signal });
      return slot === undefined ? undefined : seatOf(slot, Math.round(clock.elapsed() - since));
    },
    seatNow({ task, priority }, candidates) {
      const slot = slots.takeNow(expected.placesOf(candidates, task), priority);
      return slot === undefined ? undefined : seatOf(slot, 0);
    },
  };
}
