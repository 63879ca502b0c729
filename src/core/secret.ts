import { inspect } from "node:util";

/** What a secret prints as, in every way a value can be printed. */
const hidden = "[secret]";

/**
 * A value that must never be seen: it prints as `[secret]` as text, in JSON, in a template, under inspection and in an error.
 * Only `reveal` gives it, where it is used.
 */
export interface Secret {
  /** The name that it is configured under, for example ANTHROPIC_API_KEY. */
  readonly name: string;
  reveal(): string;
  toString(): string;
  toJSON(): string;
}

/** Hides a value. It lies in a closure, so that neither a copy nor an inspection of the object has it. */
export function createSecret(name: string, value: string): Secret {
  const say = (): string => hidden;
  return Object.freeze({
    name,
    reveal: () => value,
    toString: say,
    toJSON: say,
    [Symbol.toPrimitive]: say,
    [inspect.custom]: say,
  });
}

/** The secrets of the owner by name; undefined where none is configured. */
export type Secrets = (name: string) => Secret | undefined;
