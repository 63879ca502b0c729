import { anthropicWords } from "./anthropic-words.ts";
import { ollamaWords } from "./ollama-words.ts";
import { openaiWords } from "./openai-words.ts";
import type { Kind, Words } from "./words.ts";

const all: Readonly<Record<Kind, Words>> = {
  ollama: ollamaWords,
  anthropic: anthropicWords,
  openai: openaiWords,
};

/** The words of an API. */
export function wordsOf(kind: Kind): Words {
  return all[kind];
}
