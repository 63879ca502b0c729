import { type Features, featuresOf } from "./features.ts";
import { createRandom, dealFolds, shuffle } from "./folds.ts";
import { type Model, scores, weightCount } from "./model.ts";

/** A text with what it is for. */
export interface Example {
  readonly text: string;
  /** The agent; null where the text is for none. */
  readonly agent: string | null;
  /** How often a round of the training shows it; a whole number from 1. */
  readonly weight: number;
}

/** An example as the training takes it. */
interface Point {
  readonly features: Features;
  readonly label: number;
  readonly weight: number;
}

/** What a model that had not seen a text said of it. */
interface Trial {
  readonly label: number;
  readonly best: number;
  readonly score: number;
}

/** Of those that are given an agent, so many are to be right. */
const wantedPrecision = 0.98;
/** How many trials of its own outweigh what holds for all agents together. */
const priorTrials = 100;
/** Above every probability. */
const never = 2;
/** How often a round shows an example of a class that has few. */
const mostRepeats = 10;
const folds = 5;
const rounds = 15;
const rate = 0.2;
const decay = 3e-4;
const seed = 7;

/** One class's weights take a step against its error, each as far as Adagrad allows it. */
function createStep(weights: Float64Array, classes: number) {
  const squares = new Float64Array(weights.length).fill(1e-8);
  return ({ buckets, values }: Features, each: number, error: number): void => {
    for (let at = 0; at < buckets.length; at += 1) {
      const place = (buckets[at] ?? 0) * classes + each;
      const weight = weights[place] ?? 0;
      const slope = error * (values[at] ?? 0) + decay * weight;
      const square = (squares[place] ?? 0) + slope * slope;
      squares[place] = square;
      weights[place] = weight - (rate * slope) / Math.sqrt(square);
    }
  };
}

/** Every example as often as a round shows it: those of a rare class more often, or it would never win. */
function showings(points: readonly Point[]): Point[] {
  const counts = new Map<number, number>();
  for (const { label } of points) counts.set(label, (counts.get(label) ?? 0) + 1);
  const largest = Math.max(...counts.values());
  return points.flatMap((point) => {
    const rarity = Math.round(largest / (counts.get(point.label) ?? 1));
    const times = point.weight * Math.min(mostRepeats, rarity);
    return Array.from({ length: times }, () => point);
  });
}

/** Softmax regression by stochastic gradient descent. */
function fit(points: readonly Point[], classes: number): Float64Array {
  const weights = new Float64Array(weightCount(classes - 1));
  const step = createStep(weights, classes);
  const found = new Float64Array(classes);
  const random = createRandom(seed);
  const order = showings(points);
  for (let round = 0; round < rounds; round += 1) {
    shuffle(order, random);
    for (const { features, label } of order) {
      scores(weights, features, found);
      for (let each = 0; each < classes; each += 1) {
        step(features, each, (found[each] ?? 0) - (each === label ? 1 : 0));
      }
    }
  }
  return weights;
}

function trialOf(weights: Float64Array, point: Point, classes: number): Trial {
  const found = new Float64Array(classes);
  scores(weights, point.features, found);
  const score = Math.max(...found);
  return { label: point.label, best: found.indexOf(score), score };
}

/** What is said of every example by a model that was trained on the other folds. */
function tryOut(points: readonly Point[], classes: number): Trial[] {
  const fold = dealFolds(
    points.map(({ label }) => label),
    folds,
    createRandom(seed),
  );
  return Array.from({ length: folds }, (_, part) => {
    const weights = fit(
      points.filter((_point, at) => fold[at] !== part),
      classes,
    );
    return points
      .filter((_point, at) => fold[at] === part)
      .map((point) => trialOf(weights, point, classes));
  }).flat();
}

/**
 * For every agent the lowest score from which enough of its trials are right. Texts for nobody count as wrong. An agent that has
 * few trials borrows from what all agents together show at that score; it is never chosen where that is not enough.
 */
export function thresholdsOf(trials: readonly Trial[], agents: number): number[] {
  const own = Array.from({ length: agents }, () => ({ right: 0, all: 0, threshold: never }));
  const pooled = { right: 0, all: 0 };
  const chosen = trials.filter(({ best }) => best < agents);
  for (const { label, best, score } of chosen.toSorted((a, b) => b.score - a.score)) {
    for (const sum of [pooled, ...own.slice(best, best + 1)]) {
      sum.all += 1;
      if (label === best) sum.right += 1;
    }
    const prior = (priorTrials * pooled.right) / pooled.all;
    for (const sum of label === best ? own : []) {
      const precision = (sum.right + prior) / (sum.all + priorTrials);
      if (precision >= wantedPrecision) sum.threshold = score;
    }
  }
  return own.map(({ threshold }) => threshold);
}

/** Trains a model for these agents; the same examples in the same order give the same model to the bit. Takes seconds. */
export function trainModel(agents: readonly string[], examples: readonly Example[]): Model {
  const classes = agents.length + 1;
  const points = examples.map(({ text, agent, weight }) => ({
    features: featuresOf(text),
    label: agent === null ? agents.length : agents.indexOf(agent),
    weight,
  }));
  const thresholds = thresholdsOf(tryOut(points, classes), agents.length);
  return { agents, thresholds, weights: Float32Array.from(fit(points, classes)) };
}
