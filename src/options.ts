import { type Clock, systemClock } from "#core/clock.ts";
import type { HolderKind, Shutdown } from "#core/operations.ts";
import type { Person } from "#core/person.ts";
import type { Redactor } from "#core/redact.ts";

import type { Config, Folders } from "./config.ts";
import type { Seams } from "./seams.ts";

/** What the program is made of, and for. */
export interface AppOptions {
  readonly folders: Folders;
  readonly person: Person;
  readonly redactor: Redactor;
  readonly version: string;
  /** What this process is, should it come to hold the data. */
  readonly kind: HolderKind;
  /** Sees every line of the log. */
  readonly echo?: (line: string) => void;
  /** A service is asked to end: by a person, or because only a new process may help. */
  readonly onShutdown?: (why: Shutdown) => void;
  readonly seams?: Seams;
}

/** The options of a run whose settings have been read. */
export type Options = AppOptions & { readonly config: Config };

/** The time of a run. */
export function clockOf({ seams }: AppOptions): Clock {
  return seams?.clock ?? systemClock;
}
