import type { ChatPlatform, IncomingMessage, Place } from "#core/chat.ts";

/** Topics without a name that are remembered until somebody writes in them. */
const most = 1000;
/** A name longer than this is cut in every list of topics. */
const longestName = 32;

function nameOf(words: string): string {
  const line = words.replace(/^\/\w+\s*/, "").replaceAll(/\s+/g, " ").trim();
  if (line.length <= longestName) return line;
  const cut = line.lastIndexOf(" ", longestName);
  return `${line.slice(0, cut > longestName / 2 ? cut : longestName).toWellFormed()}…`;
}

/** Gives topics that nobody named the name of what is first asked in them. */
export function createTopics() {
  const waiting = new Set<string>();
  const keyOf = ({ platform, address }: Place): string => `${platform}:${address}`;
  return {
    unnamed(place: Place): void {
      if (waiting.size >= most) waiting.clear();
      waiting.add(keyOf(place));
    },
    name(platform: ChatPlatform, { place, text }: IncomingMessage): void {
      const name = nameOf(text);
      if (name === "" || !waiting.delete(keyOf(place))) return;
      platform.nameTopic?.(place.address, name).catch(() => undefined);
    },
  };
}
