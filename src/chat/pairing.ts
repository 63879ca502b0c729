import { randomBytes, randomInt, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

import type { Clock } from "#core/clock.ts";
import type { CodePurpose, NewCode, OpenCode, PeopleStore, ShownCode } from "#core/people.ts";

/** Six-digit codes: how they are made, and how one that was typed is found again. */
export interface Pairing {
  /** Makes a code; it is shown once. */
  make(what: Pick<NewCode, "purpose"> & Partial<NewCode>): Promise<ShownCode>;
  /** The open code that these six digits are; undefined for a wrong one, and for one that two could be. */
  find(digits: string, purposes: readonly CodePurpose[]): Promise<OpenCode | undefined>;
}

/** What pairing works with. */
export interface PairingDeps {
  readonly store: Pick<PeopleStore, "addCode" | "openCodes">;
  readonly clock: Clock;
}

/** How long a code is good for. */
export const codeMs = 10 * 60_000;

/** So many wrong ones, and a new one has to be made. */
export const codeTries = 5;

const derive = promisify<string, Buffer, number, Buffer>(scrypt);

/**
 * A million codes are few: whoever reads the database tries them all. scrypt at its usual cost makes that hours on one core, longer
 * than a code lives, and it runs beside the event loop; codes are rare, so it is on nobody's path.
 */
function hashOf(digits: string, salt: string): Promise<Buffer> {
  return derive(digits, Buffer.from(salt, "hex"), 32);
}

async function isCode(digits: string, { salt, hash }: OpenCode): Promise<boolean> {
  const [typed, stored] = [await hashOf(digits, salt), Buffer.from(hash, "hex")];
  return typed.length === stored.length && timingSafeEqual(typed, stored);
}

/** The six digits that a text is, alone or after /start, with spaces or dashes between them; undefined for any other text. */
export function digitsIn(text: string): string | undefined {
  const words = text.trim().replace(/^\/start(?:@\w+)?\s+/i, "");
  return /^\d(?:[\s-]?\d){5}$/.test(words) ? words.replaceAll(/\D/g, "") : undefined;
}

/** A code in two groups of three, as it is read out. */
function spaced(digits: string): string {
  return `${digits.slice(0, 3)} ${digits.slice(3)}`;
}

/** Pairing over a store of codes. */
export function createPairing({ store, clock }: PairingDeps): Pairing {
  return {
    async make(what) {
      const digits = String(randomInt(1_000_000)).padStart(6, "0");
      const salt = randomBytes(16).toString("hex");
      const expiresAt = clock.now() + codeMs;
      await store.addCode({
        personId: null,
        account: null,
        name: null,
        ...what,
        salt,
        hash: (await hashOf(digits, salt)).toString("hex"),
        expiresAt,
        triesLeft: codeTries,
      });
      return { code: spaced(digits), expiresAt };
    },
    async find(digits, purposes) {
      const open = (await Promise.all(purposes.map((one) => store.openCodes(one)))).flat();
      // Each is compared, whatever the others gave, so that the time tells nothing.
      const same = await Promise.all(open.map((code) => isCode(digits, code)));
      const found = open.filter((_, at) => same[at]);
      return found.length === 1 ? found[0] : undefined;
    },
  };
}
