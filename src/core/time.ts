import { AppError } from "./errors.ts";

/** The machine's own time zone, an IANA name. */
export function machineTimeZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The machine's own language, a BCP 47 tag. */
export function machineLanguage(): string {
  return new Intl.DateTimeFormat().resolvedOptions().locale;
}

/** Throws `person.time-zone` for a name that is no time zone of the IANA database. */
export function checkTimeZone(name: string): void {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name }).format();
  } catch (error) {
    throw new AppError("person.time-zone", { name }, { cause: error });
  }
}

/** Throws `person.language` for a text that is no BCP 47 tag of a language that has a name. */
export function checkLanguage(tag: string): void {
  if (languageName(tag) === undefined) throw new AppError("person.language", { tag });
}

/** The English name of a language's tag, for example "Dutch" for nl; undefined where it has none. */
export function languageName(tag: string): string | undefined {
  try {
    return new Intl.DisplayNames("en", { type: "language", fallback: "none" }).of(tag);
  } catch {
    return undefined;
  }
}

/** Tells the wall clock of a zone at a moment, as if it were UTC, in milliseconds. */
function wallClock(timeZone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat("en-CA", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  return (at) => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const of = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const [year, month, day] = [of("year"), of("month") - 1, of("day")];
    return Date.UTC(year, month, day, of("hour"), of("minute"), of("second"));
  };
}

const dayMs = 86_400_000;

/** The first moment at which a zone's clock shows this midnight; where the clock leaps over it, the first moment after. */
function midnight(wanted: number, clock: (at: number) => number): number {
  // The moment has the offset of the day before, or that of the day after a change of the clock.
  const [before = 0, after = 0] = [wanted - dayMs, wanted + dayMs].map((at) => clock(at) - at);
  const moments = [wanted - before, wanted - after].filter((at) => clock(at) === wanted);
  return moments.length === 0 ? wanted - before : Math.min(...moments);
}

/** When the day of a moment began in a zone (an IANA name), in milliseconds since 1970. */
export function dayStart(now: number, timeZone: string): number {
  const clock = wallClock(timeZone);
  const wall = new Date(clock(now));
  return midnight(Date.UTC(wall.getUTCFullYear(), wall.getUTCMonth(), wall.getUTCDate()), clock);
}

/** When the month of a moment began in a zone (an IANA name), in milliseconds since 1970. */
export function monthStart(now: number, timeZone: string): number {
  const clock = wallClock(timeZone);
  const wall = new Date(clock(now));
  return midnight(Date.UTC(wall.getUTCFullYear(), wall.getUTCMonth(), 1), clock);
}
