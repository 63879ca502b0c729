import { modelErrors } from "./model-errors.ts";
import { peopleErrors } from "./people-errors.ts";

/** What the process's exit code says: 0 ok, 1 failed, 2 usage, 3 not set up, 4 unreachable, 5 refused, 75 try later, 130 interrupted. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  noModel: 3,
  unreachable: 4,
  refused: 5,
  tryLater: 75,
  interrupted: 130,
} as const;

interface ErrorEntry {
  /** One sentence a person reads, with the fix; `{name}` is filled from the error's details. */
  readonly say: string;
  readonly exit: number;
}

/** Every failure we raise on purpose: its code, the sentence a person reads and the exit code it ends a command with. */
export const errorTable = {
  "usage.empty": {
    say: 'There is nothing to answer: write some words, for example agent "What day is it?".',
    exit: 2,
  },
  "usage.too-long": {
    say: "That is {size} of text, and at most {limit} fit in one request: send a shorter part.",
    exit: 2,
  },
  "usage.binary": {
    say: "Standard input is not text (byte {offset} is not UTF-8): pipe a text file instead.",
    exit: 2,
  },
  "usage.option": { say: "{problem}", exit: 2 },
  "usage.unknown-tier": { say: 'There is no tier "{tier}": use one of {known}.', exit: 2 },
  "usage.unknown-agent": {
    say: 'There is no agent "{agent}": use one of {known}, or add config/agents/{agent}.yaml.',
    exit: 2,
  },
  "usage.unknown-model": {
    say: 'There is no model "{model}" in config/models.yaml: use one of {known}.',
    exit: 2,
  },
  "usage.unknown-task": { say: 'No task ends with "{id}": see agent history.', exit: 2 },
  "usage.ambiguous-task": { say: '{count} tasks end with "{id}": give more of the id.', exit: 2 },
  "usage.unknown-chat": {
    say: "There is no chat {chat}: agent show TASK names the chat of a task.",
    exit: 2,
  },
  "config.invalid": { say: "{file}: {problem}", exit: 2 },
  "store.locked": {
    say: "Another agent (process {pid}) is using {folder}: wait until it ends, or stop it.",
    exit: 75,
  },
  "store.newer": {
    say: "The data in {folder} is of version {found} and this program knows {known}: use the newer program again.",
    exit: 3,
  },
  "store.read-only": {
    say: "{folder} cannot be written ({problem}): {fix}, or choose another home with --home.",
    exit: 3,
  },
  "store.network-disk": {
    say: "The database cannot lie on a network disk ({folder} is on {kind}): choose a home on a disk of this machine with --home or AGENT_HOME.",
    exit: 3,
  },
  "store.full": {
    say: "The disk that holds {folder} is full: free some space; nothing stored so far is lost.",
    exit: 75,
  },
  "store.damaged": {
    say: "The database in {folder} is damaged ({problem}): restore a backup, or move the file away to start afresh.",
    exit: 1,
  },
  "store.closed": { say: "The store is closed already.", exit: 1 },
  ...modelErrors,
  "engine.missing": {
    say: "The embedded engine is not installed: run npm install node-llama-cpp@3.21.1, or use Ollama.",
    exit: 3,
  },
  "download.failed": {
    say: "{name} could not be downloaded ({problem}): run agent models pull {name} to go on where it stopped.",
    exit: 4,
  },
  "download.unknown": {
    say: "Ollama knows no model {name} to download: its names are at ollama.com/library, and agent models lists those that run in this program.",
    exit: 2,
  },
  "download.no-space": {
    say: "{name} needs {needs} of disk and {free} is free in {folder}: free some space.",
    exit: 75,
  },
  "download.corrupt": {
    say: "{name} arrived damaged ({problem}) and was deleted: run agent models pull {name} again.",
    exit: 4,
  },
  "door.local-only": {
    say: "Local-only mode is on, so nothing was sent to {host}: run agent privacy local-only off to end that mode.",
    exit: 5,
  },
  "door.refused": {
    say: "Nothing configured allows a connection to {host} for {purpose}: it was not made.",
    exit: 5,
  },
  "door.unreachable": { say: "{host} cannot be reached ({problem}).", exit: 4 },
  "door.no-host": {
    say: "{host} is the address of no single host, neither at home nor on the internet, so nothing was sent: write the server's own address, such as 127.0.0.1 or 192.168.1.9.",
    exit: 5,
  },
  "door.not-home": {
    say: "{host} should be in the home network by its name and leads to {address} outside it, so nothing was sent: see who answers for the name, or write the server's own address.",
    exit: 5,
  },
  "door.not-public": {
    say: "{host} should be on the internet by its name and leads to {address}, which is not, so nothing was sent: write a server at home with its own address, or with a name that ends in .local or .home.arpa.",
    exit: 5,
  },
  "task.limit": {
    say: "The task stopped at its limit of {limit}: ask for less at once, or raise the limit of this agent in config/agents.",
    exit: 1,
  },
  "task.loop": {
    say: "The model asked for {tool} with the same input {times} times, so the task was stopped: say it differently, or use a larger model.",
    exit: 1,
  },
  "task.empty": {
    say: "{model} gave an empty answer: try again, or choose a larger model with agent models.",
    exit: 1,
  },
  "task.cancelled": { say: "Stopped.", exit: 130 },
  "task.parked": {
    say: "The agent is stopping: task {task} goes on when it starts again, and agent show {task} has its answer then.",
    exit: 75,
  },
  "person.time-zone": {
    say: 'There is no time zone "{name}": write a name such as Europe/Amsterdam.',
    exit: 2,
  },
  "person.language": {
    say: 'There is no language "{tag}": write a tag such as nl or pt-BR.',
    exit: 2,
  },
  ...peopleErrors,
  "export.failed": {
    say: "{file} could not be written ({problem}): free some space or choose another place; the data themselves are untouched.",
    exit: 1,
  },
  "logs.none": {
    say: "There is no log in {folder} yet: it begins with the first task or service.",
    exit: 1,
  },
  "config.secret-elsewhere": {
    say: "{name} is set in the environment or in .env, which go before secrets.env: change it there, or remove it there first.",
    exit: 2,
  },
  "config.unknown-key": { say: 'There is no setting "{key}"{meant}', exit: 2 },
  "service.none": { say: "No service is running: start one with agent serve.", exit: 4 },
  "service.running": {
    say: "A service is running already (process {pid}): agent status says more, agent stop ends it.",
    exit: 75,
  },
  "service.not-one": {
    say: "No service is running; process {pid} ({kind}) holds the data and ends by itself when it is done.",
    exit: 4,
  },
  "service.version": {
    say: "The agent that is running (process {pid}) is of version {theirs} and this one is {ours}: run agent stop, then start it again.",
    exit: 75,
  },
  "service.silent": {
    say: "The agent that holds {folder} does not answer (process {pid}): end that process; what it was doing goes on at the next start.",
    exit: 4,
  },
  "service.refused": {
    say: "The control socket {file} cannot be used ({problem}): run the command as the user that the agent runs as.",
    exit: 5,
  },
  "service.lost": {
    say: "The agent's process ended in the middle of this: task {task} goes on when it starts again, and agent show {task} has its answer then.",
    exit: 75,
  },
  "service.gone": {
    say: "The agent's process ended in the middle of this: run the command again.",
    exit: 75,
  },
  "service.stopping": {
    say: "The agent is stopping and takes nothing new: try again in a moment.",
    exit: 75,
  },
  "chat.file-too-large": {
    say: "{name} is {size} large, and at most {limit} can be taken: send a smaller file, or a part of it.",
    exit: 1,
  },
  "chat.file-gone": {
    say: "{name} is there no more ({problem}): send it again.",
    exit: 1,
  },
  "chat.file-unreachable": {
    say: "{name} could not be fetched ({problem}): send it again.",
    exit: 4,
  },
  "chat.file-missing": {
    say: "A file that was kept is there no more ({hash}): send it again.",
    exit: 1,
  },
  bug: {
    say: "Something went wrong in the program itself: please report it and name the task {task}.",
    exit: 1,
  },
} as const satisfies Record<string, ErrorEntry>;

/** The name of a failure in the one table. */
export type ErrorCode = keyof typeof errorTable;

/** What fills the `{name}` places of a sentence. */
export type ErrorDetails = Readonly<Record<string, string | number>>;

/** A failure in stored or streamed form: its code and the sentence a person reads. */
export interface Failure {
  readonly code: ErrorCode;
  readonly sentence: string;
}

function fill(sentence: string, details: ErrorDetails): string {
  return sentence.replaceAll(/\{(\w+)\}/g, (place, name: string) => String(details[name] ?? place));
}

interface AppErrorOptions extends ErrorOptions {
  /** What a service asks to wait for, in milliseconds. */
  readonly retryMs?: number | undefined;
  /** The sentence itself, where it was filled in another process. */
  readonly sentence?: string;
}

/** A failure raised on purpose. `message` is the sentence a person reads; `code` says what it is; `exit` ends a command. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly exit: number;
  readonly retryMs: number | undefined;

  constructor(code: ErrorCode, details: ErrorDetails = {}, options: AppErrorOptions = {}) {
    super(options.sentence ?? fill(errorTable[code].say, details), options);
    this.name = "AppError";
    this.code = code;
    this.exit = errorTable[code].exit;
    this.retryMs = options.retryMs;
  }

  /** The same failure as data. */
  get failure(): Failure {
    return { code: this.code, sentence: this.message };
  }
}

/** What an unknown thrown value says, in one line; never throws. */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const cause = thrown.cause instanceof Error ? thrown.cause : undefined;
  const text =
    thrown.message === "" || thrown.message === "fetch failed"
      ? (cause?.message ?? thrown.name)
      : thrown.message;
  return text.split("\n", 1)[0] ?? thrown.name;
}
