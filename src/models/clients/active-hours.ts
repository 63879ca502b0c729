/** The hours of a day; where `to` is before `from` they go past midnight. */
export interface Hours {
  /** As 07:30, by this machine's clock. */
  readonly from: string;
  readonly to: string;
}

/** True at a moment (milliseconds since 1970) within the hours. */
export function isWithin({ from, to }: Hours, now: number): boolean {
  const date = new Date(now);
  const two = (value: number): string => String(value).padStart(2, "0");
  const at = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return from <= to ? from <= at && at < to : from <= at || at < to;
}
