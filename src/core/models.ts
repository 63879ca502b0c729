import type { Explained } from "./route.ts";

/** A model as `agent models` lists it. */
export interface ListedModel {
  readonly name: string;
  /** "embedded" or a host's name. */
  readonly where: string;
  readonly sizeBytes: number;
  readonly tools: boolean;
  /** False for one that would have to be downloaded. */
  readonly here: boolean;
}

/** The models of this machine. */
export interface Models {
  list(): Promise<ListedModel[]>;
  /** The candidates of a tier, or of a word that means one, in the order they would be tried. */
  explain(tier: string): Promise<Explained[]>;
  /** Downloads a model, with Ollama or into the data directory; rejects with an AppError, or the signal's reason. */
  pull(name: string, signal: AbortSignal): Promise<void>;
}
