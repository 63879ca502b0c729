import type { Models } from "#core/models.ts";
import type { Router } from "#core/router.ts";
import type { Runner } from "#core/runner.ts";
import type { Store } from "#core/store.ts";

/** The result of one check of the doctor. */
export interface Check {
  readonly name: string;
  readonly state: "ok" | "warning" | "failed" | "off";
  readonly reason: string;
  /** What to do about it; absent when nothing needs doing. */
  readonly fix?: string;
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
