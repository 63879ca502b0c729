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

/** The wall clock of a moment in a zone, as if it were UTC. */
function wallClock(at: number, timeZone: string): Date {
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
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const of = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  const [year, month, day] = [of("year"), of("month") - 1, of("day")];
  return new Date(Date.UTC(year, month, day, of("hour"), of("minute"), of("second")));
}

/** The moment at which a zone's clock shows midnight of a date; where the clock leaps over it, the first moment after. */
function midnight(date: Date, timeZone: string): number {
  const wanted = date.getTime();
  const offset = (at: number): number => wallClock(at, timeZone).getTime() - at;
  // The offset of a moment near by is right except around a change of the clock, where that of the result is.
  const guess = wanted - offset(wanted);
  return wanted - offset(guess);
}

/** When the day of a moment began in a zone (an IANA name), in milliseconds since 1970. */
export function dayStart(now: number, timeZone: string): number {
  const wall = wallClock(now, timeZone);
  const date = Date.UTC(wall.getUTCFullYear(), wall.getUTCMonth(), wall.getUTCDate());
  return midnight(new Date(date), timeZone);
}

/** When the month of a moment began in a zone (an IANA name), in milliseconds since 1970. */
export function monthStart(now: number, timeZone: string): number {
  const wall = wallClock(now, timeZone);
  return midnight(new Date(Date.UTC(wall.getUTCFullYear(), wall.getUTCMonth(), 1)), timeZone);
}
