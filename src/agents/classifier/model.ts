import { bucketCount, type Features, featuresOf } from "./features.ts";

/** A trained classifier. Its classes are the agents in this order and, last, that the text is for none of them. */
export interface Model {
  readonly agents: readonly string[];
  /** From which probability an agent is chosen, an agent each; above 1 where it never is. */
  readonly thresholds: readonly number[];
  /** By bucket, then by class. */
  readonly weights: Float32Array;
}

/** What the classifier gives one class. */
export interface Vote {
  /** Null is the class of texts that are for no agent. */
  readonly agent: string | null;
  /** Probability from 0 to 1; those of all classes add up to 1. */
  readonly score: number;
  /** From which score the agent is chosen; null where it never is. */
  readonly threshold: number | null;
}

/** What the classifier says of a text. */
export interface Classification {
  /** Every class, the likeliest first; none while there is no model. */
  readonly votes: readonly Vote[];
  /** The agent that is sure enough; undefined when the classifier abstains. */
  readonly agent: string | undefined;
}

/** What is said of every text while there is no model. */
export const abstained: Classification = { votes: [], agent: undefined };

/** How many weights a model of so many agents has. */
export function weightCount(agents: number): number {
  return bucketCount * (agents + 1);
}

/** The probabilities of the classes, as many as `into` has room for. */
export function scores(
  weights: Float32Array | Float64Array,
  { buckets, values }: Features,
  into: Float64Array,
): void {
  const classes = into.length;
  into.fill(0);
  for (let at = 0; at < buckets.length; at += 1) {
    const base = (buckets[at] ?? 0) * classes;
    const value = values[at] ?? 0;
    for (let each = 0; each < classes; each += 1) {
      into[each] = (into[each] ?? 0) + (weights[base + each] ?? 0) * value;
    }
  }
  const highest = Math.max(...into);
  let sum = 0;
  for (let each = 0; each < classes; each += 1) {
    const power = Math.exp((into[each] ?? 0) - highest);
    into[each] = power;
    sum += power;
  }
  for (let each = 0; each < classes; each += 1) into[each] = (into[each] ?? 0) / sum;
}

/** What a model says of a text. */
export function classifyWith(model: Model, text: string): Classification {
  const features = featuresOf(text);
  if (features.buckets.length === 0 || model.agents.length === 0) return abstained;
  const found = new Float64Array(model.agents.length + 1);
  scores(model.weights, features, found);
  const votes = Array.from(found, (score, at): Vote => {
    const threshold = model.thresholds[at] ?? Infinity;
    return { agent: model.agents[at] ?? null, score, threshold: threshold > 1 ? null : threshold };
  }).toSorted((a, b) => b.score - a.score);
  const [best] = votes;
  const sure = best !== undefined && best.threshold !== null && best.score >= best.threshold;
  return { votes, agent: sure ? (best.agent ?? undefined) : undefined };
}
