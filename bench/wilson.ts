/** A share of something counted. */
export interface Share {
  readonly part: number;
  readonly whole: number;
}

/** 0 of nothing. */
export function ratio({ part, whole }: Share): number {
  return whole === 0 ? 0 : part / whole;
}

/** Wilson's interval (1927): where the true share lies with 95 % confidence. */
function wilson({ part, whole }: Share): readonly [low: number, high: number] {
  if (whole === 0) return [0, 1];
  const z = 1.959_964;
  const share = part / whole;
  const scale = 1 + z ** 2 / whole;
  const middle = share + z ** 2 / (2 * whole);
  const reach = z * Math.sqrt((share * (1 - share)) / whole + z ** 2 / (4 * whole ** 2));
  return [Math.max(0, (middle - reach) / scale), Math.min(1, (middle + reach) / scale)];
}

/** "98.4 % (96.8 to 99.2), 301 of 306" */
export function shareWords(share: Share): string {
  const percent = (value: number): string => (value * 100).toFixed(1);
  const [low, high] = wilson(share);
  return `${percent(ratio(share))} % (${percent(low)} to ${percent(high)}), ${share.part} of ${share.whole}`;
}
