import { z } from "zod";

import type { Clock } from "#core/clock.ts";
import type { Store } from "#core/store.ts";
import type { Tool } from "#core/tool.ts";

const input = z.strictObject({
  zone: z.string().optional().describe("IANA time zone, for example Europe/Paris"),
});

/** Tells the date and time, in the given zone, else the person's, else the machine's own. */
export function createNowTool(
  clock: Clock,
  store: Pick<Store, "person">,
): Tool<z.infer<typeof input>> {
  return {
    name: "now",
    description: "The current date, weekday and time.",
    input,
    risk: "read",
    gives: "instructions",
    run: async ({ zone }, { personId }) => {
      const timeZone = zone ?? (await store.person(personId)).timeZone ?? undefined;
      const format = new Intl.DateTimeFormat("en-GB", {
        dateStyle: "full",
        timeStyle: "long",
        ...(timeZone === undefined ? {} : { timeZone }),
      });
      return `${format.format(clock.now())} (${format.resolvedOptions().timeZone})`;
    },
  };
}
