import type { Secret } from "./secret.ts";

/** What stands where a secret was. */
const replacement = "[secret]";

/** A shorter value would be found in ordinary words; it is not looked for. */
const shortest = 6;

/** A shorter piece of an encoded value would be found by accident. */
const shortestPiece = 8;

/** Takes known secrets out of text, by their exact values in the usual encodings. */
export interface Redactor {
  /** From now on this one is looked for; values of fewer than six characters are not. */
  readonly add: (secret: Secret) => void;
  readonly redact: (text: string) => string;
  /** A JSON value with every text in it redacted, keys included. */
  readonly redactValue: (value: unknown) => unknown;
  /**
   * For text that comes in pieces: holds back what could be the beginning of a secret. `end` gives the rest, in which eight or more
   * characters of a secret that goes no further are one, too.
   */
  readonly stream: () => { push(text: string): string; end(): string };
}

/** The characters of a base64 text that depend on the value alone, whatever stands before and after it (RFC 4648). */
function base64Cores(value: string): string[] {
  const bytes = Buffer.from(value, "utf8");
  return [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    const whole = Math.floor((offset + bytes.length) / 3) * 4;
    return text.slice([0, 2, 3][offset], whole);
  });
}

function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** A value as it may appear: plain, in JSON, in JSON within JSON, in an address, in a form, in hexadecimal, in base64. */
function appearances(value: string): string[] {
  const address = encodeURIComponent(value);
  const hex = Buffer.from(value, "utf8").toString("hex");
  const base64 = base64Cores(value);
  const derived = [
    escaped(value),
    escaped(escaped(value)),
    address,
    address.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    address.replaceAll("%20", "+"),
    hex,
    hex.toUpperCase(),
    ...base64,
    ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
  ];
  // A key of several lines may be shown line by line.
  const lines = value.includes("\n") ? value.split(/\r?\n/) : [];
  return [value, ...[...derived, ...lines].filter((text) => text.length >= shortestPiece)];
}

/** Characters at the end of `text` that are the beginning of this value. */
function begunBy(text: string, value: string): number {
  const first = value.charAt(0);
  let at = text.indexOf(first, Math.max(0, text.length - value.length + 1));
  while (at !== -1 && !value.startsWith(text.slice(at))) at = text.indexOf(first, at + 1);
  return at === -1 ? 0 : text.length - at;
}

/** Characters at the end of `text` that could be the beginning of one of these. */
function begun(text: string, values: readonly string[]): number {
  return values.reduce((longest, value) => Math.max(longest, begunBy(text, value)), 0);
}

/** The place at or before `cut` where no secret is cut in two. */
function wholeUntil(text: string, cut: number, pattern: RegExp | undefined): number {
  for (const match of pattern === undefined ? [] : text.matchAll(pattern)) {
    if (match.index < cut && match.index + match[0].length > cut) return match.index;
  }
  return cut;
}

/** A redactor that knows no secret yet. */
export function createRedactor(): Redactor {
  const state: { values: readonly string[]; pattern: RegExp | undefined } = {
    values: [],
    pattern: undefined,
  };

  function redact(text: string): string {
    return state.pattern === undefined ? text : text.replaceAll(state.pattern, replacement);
  }

  function redactValue(value: unknown): unknown {
    if (state.pattern === undefined) return value;
    if (typeof value === "string") return redact(value);
    if (Array.isArray(value)) return value.map(redactValue);
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value);
    return Object.fromEntries(entries.map(([key, inner]) => [redact(key), redactValue(inner)]));
  }

  return {
    redact,
    redactValue,
    add(secret) {
      const value = secret.reveal();
      if (value.length < shortest) return;
      const all = new Set([...state.values, ...appearances(value)]);
      // The longest first, so that no part of one is left standing.
      state.values = [...all].toSorted((a, b) => b.length - a.length);
      state.pattern = new RegExp(state.values.map((text) => RegExp.escape(text)).join("|"), "g");
    },
    stream() {
      const rest = { held: "" };
      return {
        push(text) {
          const all = rest.held + text;
          const cut = wholeUntil(all, all.length - begun(all, state.values), state.pattern);
          rest.held = all.slice(cut);
          return redact(all.slice(0, cut));
        },
        end() {
          const { held } = rest;
          rest.held = "";
          const piece = begun(held, state.values);
          if (piece < shortestPiece) return redact(held);
          return redact(held.slice(0, held.length - piece)) + replacement;
        },
      };
    },
  };
}
