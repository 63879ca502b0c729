import type { Clock } from "#core/clock.ts";
import type { ModelStop } from "#core/model.ts";
import type { Attempt } from "#core/route.ts";
import type { RouteAsk } from "#core/router.ts";
import type { ModelSettings } from "#core/settings.ts";
import { trustOf } from "#core/trust.ts";

import type { Candidate } from "./candidates.ts";
import { type Circuits, createCircuits, monthEnd } from "./routing/circuit.ts";
import { createSlots, type Place, type Slot, type Wait } from "./routing/slots.ts";
import { createSpeeds, type Speeds } from "./routing/speeds.ts";
import { isTrouble } from "./routing/verdict.ts";
import type { Voice } from "./telling.ts";

/** A candidate's slot, and how long it was waited for. */
export interface Seat {
  readonly candidate: Candidate;
  readonly queuedMs: number;
  readonly leave: () => void;
}

/** What was measured of an attempt. */
export interface Measured {
  readonly attempt: Attempt;
  /** Milliseconds in which the host says that it read the prompt. */
  readonly promptMs?: number | undefined;
}

/** Who waits for a slot. */
export interface Waiter {
  readonly ask: Pick<RouteAsk, "task" | "priority">;
  readonly voice: Pick<Voice, "say">;
  readonly signal: AbortSignal;
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
  seat(run: Waiter, candidates: readonly Candidate[]): Promise<Seat | undefined>;
  /** A deployment has answered, or is left alone for as long as its failure says. */
  ended(candidate: Candidate, ask: Pick<RouteAsk, "priority">, stop: ModelStop): void;
  /** Learns from an attempt that was made at a host. */
  learn(candidate: Candidate, ask: Pick<RouteAsk, "task">, tried: Measured): void;
  /** What a host has read last, as far as that is known. */
  lastAt(host: string): Known | undefined;
  /** A host has read an agent's prompt without being asked anything. */
  hasRead(candidate: Candidate, ask: Pick<RouteAsk, "task">): void;
  /** Milliseconds until work that comes now would begin at a host. */
  readonly waitMs: (host: string) => number;
}

/** What a home machine loses by putting one model away for another, until it has been measured. */
const loadMs = 3000;
const unknownMs = -1;
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

/** What a host has loaded, and whose prompt it knows the beginning of. */
export interface Known {
  readonly deployment: string;
  readonly task: RouteAsk["task"];
}

function isSameConversation(one: RouteAsk["task"], other: RouteAsk["task"]): boolean {
  return (
    one.chatId === other.chatId &&
    one.conversation === other.conversation &&
    one.agent === other.agent
  );
}

/** How long work is expected to take where; learns from what was done. */
function createExpectations() {
  const speeds = createSpeeds();
  /** What each host answered last, and for which conversation: it has that model loaded, and that prompt's beginning. */
  const last = new Map<string, Known>();

  function know({ host, deployment }: Candidate, task: RouteAsk["task"]): void {
    last.set(host, { deployment, task });
  }

  function workMs({ host, deployment, trust }: Candidate, task: RouteAsk["task"]) {
    const before = last.get(host);
    const isLoaded = trust === "cloud" || before === undefined || before.deployment === deployment;
    const isKnown = before?.deployment === deployment && isSameConversation(before.task, task);
    const ms = speeds.workMs(deployment, isKnown);
    return ms === undefined ? undefined : ms + (isLoaded ? 0 : loadMs);
  }

  return {
    speeds,
    know,
    lastAt: (host: string) => last.get(host),
    learn(candidate: Candidate, task: RouteAsk["task"], { attempt, promptMs }: Measured): void {
      if (attempt.outcome !== "ok") return;
      const before = last.get(candidate.host);
      const hadBegun =
        before?.deployment === candidate.deployment && before.task.agent === task.agent;
      speeds.observe(attempt, { promptMs, hadBegun });
      know(candidate, task);
    },
    /** Who was never measured is taken for as good as the best, so that it soon is measured. */
    placesOf(candidates: readonly Candidate[], task: RouteAsk["task"]): Held[] {
      let best: number | undefined;
      const places = candidates.map((candidate) => {
        const ms = workMs(candidate, task);
        if (ms !== undefined && (best === undefined || ms < best)) best = ms;
        return { host: candidate.host, candidate, workMs: ms ?? unknownMs };
      });
      const usual = best ?? unmeasuredMs;
      for (const place of places) if (place.workMs === unknownMs) place.workMs = usual;
      return places;
    },
  };
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
  const circuits = createCircuits(clock);
  return {
    circuits,
    speeds: expected.speeds,
    ended({ deployment }, { priority }, { reason, failure, retryMs }) {
      if (failure === undefined) {
        if (reason !== "aborted") circuits.succeeded(deployment);
      } else if (isTrouble(failure.code, priority)) {
        const until = failure.code === "model.no-credit" ? monthEnd(clock.now()) : undefined;
        circuits.failed(deployment, { why: failure.sentence, retryMs, until });
      }
    },
    learn: (candidate, { task }, tried) => expected.learn(candidate, task, tried),
    lastAt: (host) => expected.lastAt(host),
    hasRead: (candidate, { task }) => expected.know(candidate, task),
    waitMs: (host) => slots.waitMs(host),
    async seat({ ask: { task, priority }, voice, signal }, candidates) {
      const since = clock.elapsed();
      const places = expected.placesOf(candidates, task);
      const onWait = (wait: Wait): void => voice.say({ type: "wait", ...wait });
      const want = { places, priority, signal, onWait };
      const slot = await slots.take(want).catch(() => undefined);
      return slot === undefined ? undefined : seatOf(slot, Math.round(clock.elapsed() - since));
    },
    seatNow({ task, priority }, candidates) {
      const slot = slots.takeNow(expected.placesOf(candidates, task), priority);
      return slot === undefined ? undefined : seatOf(slot, 0);
    },
  };
}
