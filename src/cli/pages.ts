import { createOutput } from "./output.ts";
import { createProgram } from "./program.ts";

/** The page of every command as Markdown, made from the commands' own definitions. */
export function commandPages(): string {
  const { stdin, stdout, stderr } = process;
  const never = (): AbortSignal => new AbortController().signal;
  const program = createProgram(
    {
      version: "",
      output: createOutput(stdout, stderr, { noColor: true, redact: (text) => text }),
      stdin,
      screen: stderr,
      interrupt: never,
      termination: never,
      open: () => Promise.reject(new Error("A page opens nothing.")),
      completes: false,
    },
    () => {},
  );
  const section = (title: string, page: string): string =>
    `## ${title}\n\n\`\`\`text\n${page.trimEnd()}\n\`\`\`\n`;
  const pageOf = (command: typeof program): string => {
    const written: string[] = [];
    command.configureOutput({ writeOut: (text) => written.push(text) });
    command.outputHelp();
    return written.join("");
  };
  const sections = [
    section("agent", pageOf(program)),
    ...program.commands.map((command) => section(`agent ${command.name()}`, pageOf(command))),
  ];
  const head =
    "# Commands\n\nMade from the commands' own definitions by `npm run docs`; do not edit.\n";
  return [head, ...sections].join("\n");
}
