/** An API that providers speak. */
export type Kind = "ollama" | "anthropic" | "openai";

/** All of them, for what holds in each. */
export const kinds: readonly Kind[] = ["ollama", "anthropic", "openai"];

/** A tool call as a provider writes it; the pieces of its arguments together are JSON. */
export interface SaidCall {
  readonly index: number;
  readonly id: string;
  readonly name: string;
  readonly pieces: readonly string[];
}

/** How an answer ends; `usage: null` leaves the counts out. */
export interface Ending {
  readonly reason?: "stop" | "length" | "toolCalls";
  readonly usage?: { readonly promptTokens: number; readonly answerTokens: number } | null;
}

/** An error as a provider words it in a body. */
export interface Trouble {
  readonly message: string;
  /** Its name for the error; absent where the status alone says it. */
  readonly code?: string;
  readonly details?: object;
}

/** The counts of an answer where a case says nothing else. */
export const usualUsage = { promptTokens: 12, answerTokens: 8 } as const;

/** The words of one API: text for the wire, in the order in which a stream has it. */
export interface Words {
  readonly kind: Kind;
  /** Content type of a stream. */
  readonly type: string;
  /** What comes before the first piece; may be empty. */
  start(): string;
  text(piece: string): string;
  thinking(piece: string): string;
  call(call: SaidCall): string;
  /** The end up to the last byte, counts included. */
  end(how?: Ending): string;
  /** An overload said within a stream whose status was 200. */
  inBand(): string;
  /** The body of a refusal. */
  refusal(trouble: Trouble): string;
}
