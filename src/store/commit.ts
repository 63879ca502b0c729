import type { Clock } from "#core/clock.ts";

import type { Queries } from "./queries.ts";

/** What the statements of a commit work with. */
export interface Commit extends Queries {
  readonly clock: Clock;
}
