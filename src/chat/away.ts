import type { Away } from "#core/chat.ts";
import { machineTimeZone } from "#core/time.ts";

/** A day and a time in a time zone, in the order that every language reads. */
function stamp(at: number, timeZone: string): { readonly day: string; readonly time: string } {
  const format = new Intl.DateTimeFormat("en", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const named = (name: Intl.DateTimeFormatPartTypes): string => parts.get(name) ?? "";
  return {
    day: `${named("year")}-${named("month")}-${named("day")}`,
    time: `${named("hour")}:${named("minute")}`,
  };
}

/** What a chat hears after an outage in which messages were kept for it; the times are those of the person's zone, or the machine's. */
export function awayWords(away: Away, count: number, timeZone: string | null): string {
  const zone = timeZone ?? machineTimeZone();
  const [from, to] = [stamp(away.from, zone), stamp(away.to, zone)];
  const until = from.day === to.day ? to.time : `${to.day} ${to.time}`;
  const messages = count === 1 ? "1 message" : `${count} messages`;
  const said = `I was away from ${from.day} ${from.time} to ${until}; ${messages} caught up.`;
  if (away.to - away.from <= away.keptMs) return said;
  const hours = Math.round(away.keptMs / 3_600_000);
  return `${said} What was written more than ${hours} hours before I came back did not reach me.`;
}
