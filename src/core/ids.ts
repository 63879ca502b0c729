import { randomUUID } from "node:crypto";

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/**
 * A new id of 16 characters in Crockford's base 32: ten of milliseconds, so that ids sort by time, then six random ones,
 * so that the last six tell a person's tasks apart.
 */
export function newId(nowMs: number): string {
  let time = "";
  for (let rest = nowMs, i = 0; i < 10; i += 1, rest = Math.floor(rest / 32))
    time = alphabet.charAt(rest % 32) + time;
  // The first 32 bits of a version 4 UUID are random (RFC 9562), and Node keeps a store of them ready.
  let random = "";
  for (let rest = Number.parseInt(randomUUID().slice(0, 8), 16), i = 0; i < 6; i += 1, rest >>>= 5)
    random += alphabet.charAt(rest % 32);
  return time + random;
}

/** The short form of an id that people read and type: its last six characters. */
export function shortId(id: string): string {
  return id.slice(-6);
}
