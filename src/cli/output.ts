import { once } from "node:events";
import { styleText } from "node:util";

/** Text of a model or a file without the control characters that would steer a terminal; line ends and tabs stay. */
export function plainText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is taken out
  return text.replaceAll(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g, "");
}

/** Where a command writes: answers and data on stdout, all else on stderr. */
export interface Output {
  /** Data, as it is. */
  write(text: string): void;
  /** Data, as it is; resolves when the reader has room for more. */
  writeAll(text: string): Promise<void>;
  /** A line of data. */
  line(text: string): void;
  /** A line beside the data. */
  note(text: string): void;
  /** A line beside the data that the next one replaces; nothing without a terminal. */
  transient(text: string): void;
  dim(text: string): string;
  bold(text: string): string;
  readonly isTerminal: boolean;
}

/** Output on these streams; colour only on a terminal that wants it (NO_COLOR, TERM=dumb). */
export function createOutput(
  stdout: NodeJS.WriteStream,
  stderr: NodeJS.WriteStream,
  options: {
    readonly noColor: boolean;
    /** What everything that is printed goes through. */
    readonly redact: (text: string) => string;
  },
): Output {
  const { noColor, redact } = options;
  const isTerminal = stdout.isTTY;
  const colour = isTerminal && !noColor;
  let transientShown = false;
  const clear = (): void => {
    if (transientShown) stderr.write("\r\u001B[2K");
    transientShown = false;
  };
  return {
    write: (text) => {
      clear();
      stdout.write(redact(text));
    },
    async writeAll(text) {
      clear();
      if (!stdout.write(redact(text))) await once(stdout, "drain");
    },
    line: (text) => {
      clear();
      stdout.write(`${redact(text)}\n`);
    },
    note: (text) => {
      clear();
      stderr.write(`${redact(text)}\n`);
    },
    transient: (text) => {
      if (!stderr.isTTY) return;
      clear();
      stderr.write(text);
      transientShown = true;
    },
    dim: (text) => (colour ? styleText("dim", text) : text),
    bold: (text) => (colour ? styleText("bold", text) : text),
    isTerminal,
  };
}

/** Bytes as people read them, in powers of ten. */
export function sizeText(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  if (bytes >= 1e6) return `${Math.round(bytes / 1e6)} MB`;
  return `${Math.ceil(bytes / 1e3)} kB`;
}

/** A span of time as people read it. */
export function secondsText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

/** A bar of twenty characters with the share done. */
export function barText(done: number, total: number): string {
  const share = total === 0 ? 0 : Math.min(1, done / total);
  const full = Math.round(share * 20);
  return `[${"#".repeat(full)}${"-".repeat(20 - full)}] ${Math.floor(share * 100)} %`;
}

/** One line of a text, cut to a width. */
export function lineOf(text: string, width: number): string {
  const line = plainText(text.replaceAll(/\s+/g, " ")).trim();
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 3))}...`;
}

/** The machine's local date and time, to the minute. */
export function whenText(ms: number): string {
  const date = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return date.toISOString().slice(0, 16).replace("T", " ");
}
