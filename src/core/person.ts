/** The id of the one person who owns this agent. */
export const owner = "owner";

/** What is known of a person besides the id; null is the machine's own. */
export interface PersonSettings {
  /** IANA name, for example Europe/Amsterdam. */
  readonly timeZone: string | null;
  /** BCP 47 tag, for example nl or pt-BR. */
  readonly language: string | null;
}

/** A model file that can be downloaded. */
export interface DownloadOffer {
  readonly name: string;
  readonly title: string;
  readonly sizeBytes: number;
  readonly license: string;
  /** Where it comes from, in words. */
  readonly from: string;
}

/** Bytes of a download so far and in all. */
export interface Progress {
  readonly completedBytes: number;
  readonly totalBytes: number;
}

/** What the program says to the person at the terminal, and asks, while it works. */
export interface Person {
  /** A line that is not part of an answer. */
  notice(line: string): void;
  /** Draws a download's progress; called often. */
  progress(name: string, progress: Progress): void;
  /** Which of these to download; undefined is none. Absent where there is nobody to ask. */
  readonly chooseDownload?: (
    offers: readonly DownloadOffer[],
  ) => Promise<DownloadOffer | undefined>;
}
