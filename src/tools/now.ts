import { z } from "zod";

import type { Clock } from "#core/clock.ts";
import type { Tool } from "#core/tool.ts";

const input = z.strictObject({
  zone: z.string().optional().describe("IANA time zone, for example Europe/Paris"),
});

/** Tells the date and time, in the given zone or the machine's own. */
export function createNowTool(clock: Clock): Tool<z.infer<typeof input>> {
  return {
    name: "now",
    description: "The current date, weekday and time.",
    input,
    risk: "read",
    run: ({ zone }) => {
      const format = new Intl.DateTimeFormat("en-GB", {
        dateStyle: "full",
        timeStyle: "long",
        ...(zone === undefined ? {} : { timeZone: zone }),
      });
      return Promise.resolve(
        `${format.format(clock.now())} (${format.resolvedOptions().timeZone})`,
      );
    },
  };
}
