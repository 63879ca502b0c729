import { Command, CommanderError, InvalidArgumentError, Option } from "commander";

import { systemClock } from "#core/clock.ts";
import { exitCodes } from "#core/errors.ts";
import type { Person } from "#core/person.ts";

import type { Output } from "./output.ts";
import type { Services } from "./services.ts";

/** What the command line works with. */
export interface CliDeps {
  readonly version: string;
  readonly output: Output;
  readonly stdin: NodeJS.ReadStream;
  readonly screen: NodeJS.WriteStream;
  /** Aborts at the first Ctrl-C of a one-shot command. */
  readonly interrupt: () => AbortSignal;
  readonly open: (home: string | undefined, person: Person) => Promise<Services>;
}

interface RootOptions {
  readonly home?: string;
  readonly tier?: string;
  readonly agent?: string;
  readonly json?: boolean;
  readonly stream: boolean;
  readonly new?: boolean;
  readonly interactive?: boolean;
  readonly verbose?: boolean;
}

const afterHelp = `
Examples:
  agent "Write a haiku about coding"
  agent @code "A shell line that counts TODOs in src"
  git diff | agent "Explain this change" -
  agent -i

Exit codes: 0 answered, 1 failed, 2 wrong use, 3 not set up (no model), 4 unreachable, 5 refused, 75 try later, 130 stopped.`;

function count(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new InvalidArgumentError("It must be a whole number above 0.");
}

/** The whole command line; resolves with the exit code. Rejects with an AppError that the caller prints. */
export async function runCli(argv: readonly string[], deps: CliDeps): Promise<number> {
  let code: number = exitCodes.ok;
  const finish = (result: number): void => {
    code = result;
  };
  const program = createProgram(deps, finish);
  try {
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  }
  return code;
}

type WithServices = (
  work: (services: Services, options: RootOptions) => Promise<number | undefined>,
) => Promise<void>;

function createProgram(deps: CliDeps, finish: (code: number) => void): Command {
  const program = new Command("agent")
    .description("Your own AI agent. Give it words, and it answers; give it none, and it chats.")
    .version(deps.version)
    .argument("[words...]", 'what you ask; a "-" at the end adds standard input')
    .option("--home <folder>", "where all that is yours lies")
    .option("--tier <word>", "fast, smart or cloud")
    .option("--agent <name>", "the agent that answers (or begin your words with @name)")
    .option("--new", "begin a new conversation")
    .option("-i, --interactive", "chat on this terminal")
    .option("--json", "print one JSON object")
    .option("--no-stream", "print the answer when it is whole")
    .addOption(new Option("--verbose", "show where a failure came from"))
    .addHelpText("after", afterHelp)
    .showHelpAfterError("Run agent --help for what there is.")
    .exitOverride()
    .enablePositionalOptions(false);
  const withServices: WithServices = async (work) => {
    const options = program.opts<RootOptions>();
    const { createPerson } = await import("./person.ts");
    const services = await deps.open(
      options.home,
      createPerson(deps.output, deps.stdin, {
        verbose: options.verbose ?? false,
      }),
    );
    try {
      finish((await work(services, options)) ?? exitCodes.ok);
    } finally {
      await services.close();
    }
  };
  program.action((words: string[]) =>
    withServices((services, options) => answer(deps, services, { words, options })),
  );
  addRecordCommands(program, deps, withServices);
  addModelCommands(program, deps, withServices);
  return program;
}

async function answer(
  deps: CliDeps,
  services: Services,
  asked: { readonly words: readonly string[]; readonly options: RootOptions },
): Promise<number> {
  const { words, options } = asked;
  const { output, stdin } = deps;
  if (options.interactive === true || (words.length === 0 && stdin.isTTY)) {
    const { chat } = await import("./chat.ts");
    await chat(services, output, { input: stdin, screen: deps.screen });
    return exitCodes.ok;
  }
  const { readWords } = await import("./words.ts");
  const { ask } = await import("./ask.ts");
  return ask(services, output, {
    words: await readWords(words, stdin),
    options: { ...options, json: options.json ?? false, new: options.new ?? false },
    signal: deps.interrupt(),
  });
}

function addRecordCommands(program: Command, deps: CliDeps, withServices: WithServices): void {
  const { output } = deps;
  program
    .command("history")
    .description("list what you asked, newest first")
    .option("--limit <n>", "most lines", count, 20)
    .option("--search <text>", "only tasks that hold these words")
    .action((own: { limit: number; search?: string }) =>
      withServices(async (services, { json = false }) => {
        const { history } = await import("./history.ts");
        await history(await services.store(), output, { ...own, json });
        return undefined;
      }),
    );
  program
    .command("show <task>")
    .description("show one task: its steps, what it used and what left the machine")
    .action((id: string) =>
      withServices(async (services, { json = false }) => {
        const { show } = await import("./history.ts");
        await show(await services.store(), output, { id, json });
        return undefined;
      }),
    );
  program
    .command("stats")
    .description("totals of the last days")
    .option("--days <n>", "how many days", count, 30)
    .action(({ days }: { days: number }) =>
      withServices(async (services, { json = false }) => {
        const { stats } = await import("./stats.ts");
        await stats(await services.store(), output, { days, json, clock: systemClock });
        return undefined;
      }),
    );
}

function addModelCommands(program: Command, deps: CliDeps, withServices: WithServices): void {
  const { output } = deps;
  program
    .command("models [action] [name]")
    .description(
      "list: which model answers, and why; pull NAME: download one; check: can I answer?",
    )
    .action((action = "list", name?: string) =>
      withServices(async (services, { json = false }) => {
        const commands = await import("./models.ts");
        const models = await services.models();
        if (action === "list") await commands.listModels(models, output, { json });
        else if (action === "check") return commands.checkModels(models, output, { json });
        else if (action === "pull" && name !== undefined) {
          await commands.pullModel(models, output, { name, signal: deps.interrupt() });
        } else throw commands.unknownAction(String(action));
        return undefined;
      }),
    );
  program
    .command("doctor")
    .description("check each part; say what is wrong and how to mend it")
    .action(() =>
      withServices(async (services, { json = false }) => {
        const { reportChecks } = await import("./doctor.ts");
        return reportChecks(await services.doctor(), output, { json });
      }),
    );
}
