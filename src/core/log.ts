/** What a line of the log carries besides its words; never the text of a message. */
export interface LogFields {
  /** The task's id, in every line that is about one. */
  readonly task?: string;
  readonly [name: string]: string | number | boolean | null | undefined;
}

/** The program's own record of what it does, for its owner. Never throws, and never holds a secret. */
export interface Log {
  readonly info: (words: string, fields?: LogFields) => void;
  readonly warn: (words: string, fields?: LogFields) => void;
  /** What nobody raised on purpose, with where it came from. */
  readonly bug: (error: unknown, fields?: LogFields) => void;
}
