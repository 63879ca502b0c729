import { Command, CommanderError, InvalidArgumentError, Option } from "commander";

import { AppError, exitCodes } from "#core/errors.ts";

import type { CliDeps, CommandDeps, RootOptions, WithServices } from "./command-deps.ts";
import { addModelCommands } from "./commands-models.ts";
import { addPeopleCommands } from "./commands-people.ts";
import { addPrivacyCommands } from "./commands-privacy.ts";
import { addRecordCommands } from "./commands-records.ts";
import { addServiceCommands } from "./commands-service.ts";
import { addSetupCommands } from "./commands-setup.ts";
import { addCompletion, completionWords } from "./completion.ts";
import { closing, examples, helpWidth } from "./help.ts";
import { terminalChat } from "./terminal-chat.ts";

interface AskRootOptions extends RootOptions {
  readonly tier?: string;
  readonly agent?: string;
  readonly localOnly?: boolean;
  readonly stream: boolean;
  readonly new?: boolean;
  readonly interactive?: boolean;
}

/** A name of one of the terminal's chats, or the id of a chat of any platform. */
function chatName(text: string): string {
  if (/^[a-z0-9][a-z0-9-]{0,30}$/.test(text) || /^[a-z]+:\S{1,150}$/.test(text)) return text;
  throw new InvalidArgumentError("It must be lower-case letters, digits and hyphens, at most 31.");
}

/** Whoever asks on a terminal is in a chat of it, which stays as local as its rules say. */
function checkAsked({ chat, localOnly = false }: AskRootOptions, isChat: boolean): void {
  if (chat?.includes(":") === true) {
    const problem = `--chat ${chat} is a chat of a chat service: ask there, or give a name of your own.`;
    throw new AppError("usage.option", { problem });
  }
  if (isChat && localOnly) {
    const problem = "--local-only is for one request: in a chat, type /privacy local-only on.";
    throw new AppError("usage.option", { problem });
  }
}

/** The whole command line; resolves with the exit code. Rejects with an AppError that the caller prints. */
export async function runCli(argv: readonly string[], deps: CliDeps): Promise<number> {
  let code: number = exitCodes.ok;
  const command = argv.find((word, i) => !word.startsWith("-") && argv[i - 1] !== "--home");
  const completes = completionWords.some((word) => word === command);
  const finish = (result: number): void => {
    code = result;
  };
  const program = createProgram({ ...deps, completes }, finish);
  if (completes) await addCompletion(program);
  try {
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  }
  return code;
}

function createRoot({ version, output }: CliDeps): Command {
  return new Command("agent")
    .configureOutput({
      writeOut: (text) => output.write(text),
      writeErr: (text) => output.note(text.trimEnd()),
      getOutHelpWidth: () => helpWidth,
      getErrHelpWidth: () => helpWidth,
    })
    .description(
      `Your own AI agent. Give it words, and it answers; give it none, and it chats.\n${examples.trimEnd()}`,
    )
    .usage('[options] ["words" ...]\n       agent [command]')
    .argument("[words...]", 'what you ask; a "-" at the end adds standard input')
    .optionsGroup("Asking:")
    .option("--tier <word>", "fast, smart or cloud (or begin your words with @smart)")
    .option("--agent <name>", "the agent that answers (or begin your words with @name)")
    .option("--local-only", "nothing of this request goes to a cloud")
    .option("--new", "begin a new conversation")
    .addOption(
      new Option("--chat <name>", "a conversation of its own name (main)").argParser(chatName),
    )
    .option("-i, --interactive", "chat on this terminal")
    .option("--no-stream", "print the answer when it is whole")
    .optionsGroup("Everywhere:")
    .option("--home <folder>", "where all that is yours lies")
    .option("--json", "print JSON")
    .option("--verbose", "show where a failure came from")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "show this page")
    .helpCommand(false)
    .addHelpText("after", closing)
    .showHelpAfterError("Run agent --help for what there is.")
    .exitOverride()
    .enablePositionalOptions(false);
}

function createOpener(
  deps: CliDeps,
  program: Command,
  finish: (code: number) => void,
): WithServices {
  return async (work, how = {}) => {
    const options = program.opts<RootOptions>();
    const { createPerson } = await import("./person.ts");
    const services = await deps.open({
      home: options.home,
      kind: "command",
      person: createPerson(deps.output, deps.stdin),
      ...how,
    });
    try {
      finish((await work(services, options)) ?? exitCodes.ok);
    } finally {
      await services.close();
    }
  };
}

/** The command line's definition, from which help, completion and the command pages are made. */
export function createProgram(
  deps: CliDeps & { readonly completes: boolean },
  finish: (code: number) => void,
): Command {
  const program = createRoot(deps);
  const withServices = createOpener(deps, program, finish);
  const commandDeps: CommandDeps = { ...deps, withServices };
  const asking = (words: string[]) => answer(commandDeps, words, program.opts<AskRootOptions>());
  program.action(asking);
  program
    .commandsGroup("Asking:")
    .command("ask [words...]")
    .description("the same as agent with your words")
    .action(asking);
  addRecordCommands(program.commandsGroup("What you asked:"), commandDeps);
  addModelCommands(program.commandsGroup("Models:"), commandDeps);
  addPrivacyCommands(program.commandsGroup("Privacy:"), commandDeps);
  addServiceCommands(program.commandsGroup("In the background:"), commandDeps);
  addPeopleCommands(program.commandsGroup("In chat services:"), commandDeps);
  addSetupCommands(program.commandsGroup("Setting up:"), commandDeps);
  return program;
}

async function answer(
  deps: CommandDeps,
  words: readonly string[],
  options: AskRootOptions,
): Promise<void> {
  const { output, stdin, screen, withServices } = deps;
  const isChat = options.interactive === true || (words.length === 0 && stdin.isTTY);
  checkAsked(options, isChat);
  if (isChat) {
    const { chat } = await import("./chat.ts");
    const chatId = terminalChat(options.chat);
    await withServices(
      async (services) => {
        await chat(services, output, { input: stdin, screen, chatId });
        return undefined;
      },
      { kind: "chat" },
    );
    return;
  }
  const [{ readWords }, { ask }] = await Promise.all([import("./words.ts"), import("./ask.ts")]);
  await withServices(async (services, { json = false }) =>
    ask(services, output, {
      words: await readWords(words, stdin),
      options: {
        ...options,
        json,
        new: options.new ?? false,
        localOnly: options.localOnly ?? false,
      },
      signal: deps.interrupt(),
    }),
  );
}
