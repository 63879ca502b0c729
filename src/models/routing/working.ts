import type { Clock } from "#core/clock.ts";

/** What hosts are doing. */
export interface Working {
  count(host: string): number;
  /** True where a slot is free; where one is to be `spared`, a host of several must have two. */
  isFree(host: string, spared: boolean): boolean;
  /** Begins a piece of work; gives what ends it, which is false where it had ended before. */
  add(host: string, workMs: number): () => boolean;
  /** Milliseconds until a slot is free, if all goes as expected. */
  freeInMs(host: string): number;
}

interface Piece {
  /** By the clock's `elapsed`. */
  readonly startedAt: number;
  readonly workMs: number;
}

interface Host {
  readonly slots: number;
  readonly pieces: Set<Piece>;
}

/** The work of hosts that each do so many pieces at once. */
export function createWorking(clock: Clock, parallelOf: (host: string) => number): Working {
  const hosts = new Map<string, Host>();

  function of(name: string): Host {
    const known = hosts.get(name);
    if (known !== undefined) return known;
    const host = { slots: parallelOf(name), pieces: new Set<Piece>() };
    hosts.set(name, host);
    return host;
  }

  return {
    count: (host) => of(host).pieces.size,
    isFree(host, spared) {
      const { slots, pieces } = of(host);
      return pieces.size < slots - (spared && slots > 1 ? 1 : 0);
    },
    add(host, workMs) {
      const piece = { startedAt: clock.elapsed(), workMs };
      const { pieces } = of(host);
      pieces.add(piece);
      return () => pieces.delete(piece);
    },
    freeInMs(host) {
      const { slots, pieces } = of(host);
      if (pieces.size < slots) return 0;
      const now = clock.elapsed();
      // What is late is expected to be late for as long again.
      const left = [...pieces].map((piece) => Math.abs(piece.startedAt + piece.workMs - now));
      return Math.min(...left);
    },
  };
}
