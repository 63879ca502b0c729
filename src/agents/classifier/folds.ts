/** Mulberry32: numbers from 0 to below 1, the same for the same seed. */
export function createRandom(from: number): () => number {
  let state = from >>> 0;
  return () => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Puts a list into a random order, in place (Fisher and Yates). */
export function shuffle(list: unknown[], random: () => number): void {
  for (let at = list.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [list[at], list[other]] = [list[other], list[at]];
  }
}

/** Deals the places of a list into folds, each label evenly. */
export function dealFolds(
  labels: readonly (number | string)[],
  count: number,
  random: () => number,
): number[] {
  const fold = labels.map(() => 0);
  for (const label of new Set(labels)) {
    const places = [...labels.keys()].filter((at) => labels[at] === label);
    shuffle(places, random);
    for (const [turn, place] of places.entries()) fold[place] = turn % count;
  }
  return fold;
}
