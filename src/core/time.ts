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
