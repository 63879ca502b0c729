import type { Clock } from "../../../src/core/clock.ts";
import type { OllamaState } from "../../fakes/providers/ollama-state.ts";
import { hang, type Reply, type Step } from "../../fakes/providers/perform.ts";
import { openProvider, type Provider, type Script } from "../../fakes/providers/server.ts";
import { wordsOf } from "../../fakes/providers/speak.ts";
import type { Ending, Kind, Trouble } from "../../fakes/providers/words.ts";

import { type Ask, call, type Outcome } from "./call.ts";
import { type Breaks, knownOfHost, openRouter, type Subject, usualPrice } from "./harness.ts";

/** What a case runs in. */
export interface World {
  /** Numbers in [0, 1) that the seed decides. */
  readonly random: () => number;
  /** The router is broken by this; absent for the product's own. */
  readonly breaks?: Breaks;
  /** Called when the case is over, the last one first. */
  onEnd(close: () => Promise<void> | void): void;
}

/** The pieces of a healthy answer. */
export const pieces = "The heron stands in the shallow water and waits for a fish."
  .split(/(?<= )/)
  .values()
  .toArray();

/** The healthy answer. */
export const whole = pieces.join("");

/** A healthy answer. */
export function answers(
  kind: Kind,
  said: readonly string[] = pieces,
  how?: Ending,
): { readonly steps: readonly string[] } {
  const words = wordsOf(kind);
  return { steps: [words.start(), ...said.map((piece) => words.text(piece)), words.end(how)] };
}

/** The beginning of an answer up to so many pieces, and then these steps. */
export function begins(kind: Kind, count: number, ...then: readonly Step[]): Reply {
  const words = wordsOf(kind);
  const said = pieces.slice(0, count).map((piece) => words.text(piece));
  return { steps: [words.start(), ...said, ...then] };
}

/** A refusal. */
export function refuses(
  kind: Kind,
  status: number,
  trouble: Trouble,
  headers?: Readonly<Record<string, string>>,
): Reply {
  const steps = [wordsOf(kind).refusal(trouble)];
  return { status, steps, ...(headers === undefined ? {} : { headers }) };
}

/** Never answers. */
export const silent: Reply = { steps: [hang] };

/** A script that plays these one after another, the last for ever. */
export function inTurn(...replies: readonly [Reply, ...Reply[]]): Script {
  return ({ attempt }) => replies[Math.min(attempt, replies.length) - 1] ?? replies[0];
}

/** Deadlines in whole seconds, which is what settings take, as short as they can be. */
const deadlines = {
  connect_seconds: 1,
  first_token_seconds: 1,
  idle_seconds: 1,
  total_seconds: 8,
};

/** Deadlines for a clock that runs fast, on which a second of theirs is a moment. */
const patient = {
  connect_seconds: 60,
  first_token_seconds: 60,
  idle_seconds: 60,
  total_seconds: 600,
};

/** How a case sets its scene: a primary deployment with a fault, and a healthy one on another host behind it. */
export interface Scene {
  readonly kind: Kind;
  readonly primary: Script;
  /** Null leaves the primary alone. */
  readonly backup?: Script | null;
  /** Where the primary is looked for; absent is its own server. */
  readonly origin?: string;
  readonly ollama?: OllamaState;
  /** More deployments on the primary's host, tried after it and before the backup. */
  readonly siblings?: Readonly<Record<string, Script>>;
  /** Settings of the primary's host. */
  readonly host?: object;
  /** Settings of the primary's deployment. */
  readonly deployment?: object;
  /** Settings beside hosts, deployments and tiers. */
  readonly settings?: object;
  /** Models of a service in a cloud, which a request asks for by its tier. */
  readonly cloud?: boolean;
  /** True for a cloud whose price nobody knows. */
  readonly unpriced?: boolean;
  readonly clock?: Clock;
  /** The zone that budgets are counted in. */
  readonly timeZone?: string;
}

/** A scene with its curtain up. */
export interface Stage {
  readonly primary: Provider;
  readonly backup: Provider;
  readonly subject: Subject;
  readonly settings: object;
  readonly call: (ask?: Ask) => Promise<Outcome>;
}

function hostAt({ kind, clock }: Scene, origin: string, own: object): object {
  const url = kind === "openai" ? `${origin}/v1` : origin;
  return knownOfHost({ kind, url, ...(clock === undefined ? deadlines : patient), ...own });
}

interface Pair {
  readonly primary: string;
  readonly backup: string;
}

/** The settings of a scene, with its hosts at these addresses. */
function settingsOf(scene: Scene, names: Pair, origins: Pair): object {
  const { cloud = false, unpriced = false, siblings = {}, backup } = scene;
  const price = cloud && !unpriced ? usualPrice() : {};
  const sized = { context: 8192, max_answer: 100, ...price };
  const others = Object.keys(siblings);
  const tier = ["primary", ...others, ...(backup === null ? [] : ["backup"])];
  return {
    cloud: cloud ? "when-asked" : "never",
    hosts: {
      first: hostAt(scene, scene.origin ?? origins.primary, scene.host ?? {}),
      second: hostAt(scene, origins.backup, {}),
    },
    deployments: {
      primary: { host: "first", model: names.primary, ...sized, ...scene.deployment },
      ...Object.fromEntries(others.map((model) => [model, { host: "first", model, ...sized }])),
      backup: { host: "second", model: names.backup, ...sized, context: 65_536 },
    },
    tiers: {
      "local-fast": [],
      "local-smart": cloud ? [] : tier,
      "cloud-smart": cloud ? tier : [],
    },
    ...scene.settings,
  };
}

/** Opens the providers of a scene and the product's router over them. */
export async function openStage(world: World, scene: Scene): Promise<Stage> {
  const { kind, cloud = false, siblings = {}, backup, ollama } = scene;
  // A name with this ending is a cloud's wherever its server runs, so that a cloud can be played on loopback.
  const suffix = cloud ? ":cloud" : "";
  const names = { primary: `primary${suffix}`, backup: `backup${suffix}` };
  const open = async (
    scripts: Readonly<Record<string, Script>>,
    own: object,
  ): Promise<Provider> => {
    const provider = await openProvider({ kind, scripts, ...own });
    world.onEnd(() => provider.close());
    return provider;
  };
  const own = ollama === undefined ? {} : { ollama };
  const primary = await open({ [names.primary]: scene.primary, ...siblings }, own);
  const second = await open({ [names.backup]: backup ?? (() => answers(kind)) }, {});
  const origins = { primary: primary.origin, backup: second.origin };
  const settings = settingsOf(scene, names, origins);
  const subject = await openSubject(world, settings, scene);
  const usual: Ask = cloud ? { tier: "cloud-smart", forced: true } : {};
  return {
    primary,
    backup: second,
    subject,
    settings,
    call: (ask = {}) => call(subject.router, { ...usual, ...ask }),
  };
}

/** Another router over the same settings, as after a restart. */
export async function openSubject(
  world: World,
  settings: object,
  how: Pick<Scene, "clock" | "timeZone"> = {},
): Promise<Subject> {
  const { breaks } = world;
  const { clock, timeZone } = how;
  const subject = await openRouter(settings, {
    ...(clock === undefined ? {} : { clock }),
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(breaks === undefined ? {} : { breaks }),
  });
  world.onEnd(() => subject.close());
  return subject;
}
