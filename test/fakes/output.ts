import type { Output } from "../../src/cli/output.ts";

/** Output in memory: data as it was written, and the lines beside it, those that the next one replaces in brackets. */
export function createFakeOutput(isTerminal = false): {
  readonly written: { data: string; readonly beside: string[] };
  readonly output: Output;
} {
  const written = { data: "", beside: new Array<string>() };
  const write = (text: string): void => void (written.data += text);
  const output: Output = {
    write,
    writeAll: (text) => Promise.resolve(write(text)),
    line: (text) => write(`${text}\n`),
    note: (text) => void written.beside.push(text),
    transient: (text) => void written.beside.push(`(${text})`),
    dim: (text) => text,
    bold: (text) => text,
    isTerminal,
  };
  return { written, output };
}
