import type { GoldLabel, GoldLabels } from "#core/choice.ts";
import { lazily } from "#core/lazy.ts";

import { canonical } from "./classifier/examples.ts";

/** The agent that a text is for by the owner's word; undefined where there is none. */
export type OwnersWord = (text: string) => string | undefined;

/** What two texts have in common that say the same: all but case, spaces and the marks at the end. */
export function sameText(text: string): string {
  return canonical(text).replace(/[\s.!?,;:。؟।]+$/u, "");
}

/** The owner's corrections at hand: read once, since whoever holds the data is the only one who adds to them. */
export function createCorrections(store: GoldLabels) {
  const known = lazily(async () => {
    const labels = await store.goldLabels();
    return new Map(labels.map(({ text, agent }) => [sameText(text), agent]));
  });
  return {
    /** What holds now. */
    async read(): Promise<OwnersWord> {
      const byText = await known();
      return (text) => byText.get(sameText(text));
    },
    /** Stores one; resolves after the commit. */
    async add(label: GoldLabel): Promise<void> {
      await store.addGoldLabel(label);
      (await known()).set(sameText(label.text), label.agent);
    },
  };
}
