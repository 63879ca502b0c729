import type { Explained, Router } from "#core/router.ts";
import type { Runner } from "#core/runner.ts";
import type { Store } from "#core/store.ts";

/** A model file that can be downloaded. */
export interface Offer {
  readonly name: string;
  readonly title: string;
  readonly sizeBytes: number;
  readonly license: string;
  /** Where it comes from, in words. */
  readonly from: string;
}

/** Bytes of a download so far and in all. */
export interface Progress {
  readonly completedBytes: number;
  readonly totalBytes: number;
}

/** What the program asks of the person while it works. */
export interface Person {
  /** A line that is not part of an answer. */
  notice(line: string): void;
  /** Which of these to download; undefined is none. Without a terminal nobody is asked. */
  readonly chooseDownload?: (offers: readonly Offer[]) => Promise<Offer | undefined>;
  /** Draws a download's progress; called often. */
  progress(name: string, progress: Progress): void;
}

/** A model as `agent models` lists it. */
export interface Listed {
  readonly name: string;
  /** "embedded" or a host's name. */
  readonly where: string;
  readonly sizeBytes: number;
  readonly tools: boolean;
  /** False for one that would have to be downloaded. */
  readonly here: boolean;
}

/** The result of one check of the doctor. */
export interface Check {
  readonly name: string;
  readonly state: "ok" | "warning" | "failed" | "off";
  readonly reason: string;
  /** What to do about it; absent when nothing needs doing. */
  readonly fix?: string;
}

/** The models of this machine. */
export interface Models {
  list(): Promise<Listed[]>;
  explain(tier: string): Promise<Explained[]>;
  /** Downloads a model, with Ollama or into the data directory; rejects with an AppError. */
  pull(name: string, signal: AbortSignal): Promise<void>;
}

/** The parts of the program that commands use; each is made when it is first asked for. */
export interface Services {
  readonly home: string;
  store(): Promise<Store>;
  router(): Promise<Router>;
  runner(): Promise<Runner>;
  models(): Promise<Models>;
  doctor(): Promise<Check[]>;
  /** Ends what was made, in order. */
  close(): Promise<void>;
}
