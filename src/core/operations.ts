import type { z } from "zod";

import type { TextVotes } from "./choice.ts";
import type { Check } from "./doctor.ts";
import type { Receipt } from "./http.ts";
import type { Spending } from "./ledger.ts";
import type { ListedModel } from "./models.ts";
import type { operationInputs } from "./operation-inputs.ts";
import type { KnownPerson, NamedAccount, ShownCode } from "./people.ts";
import type { PersonSettings } from "./person.ts";
import type { CheckedPath, PrivacyView } from "./privacy.ts";
import type { Explained } from "./route.ts";
import type { Stats } from "./store.ts";
import type { TerminalEvent } from "./terminal.ts";
import type { RouteRow, Step, Task, TaskEvent, UsageRow } from "./task.ts";

/** What the process that holds the data is: a service, a chat on a terminal, one command, or a program over the API. */
export const holderKinds = ["service", "chat", "command", "program"] as const;

/** One of the kinds of process that can hold the data. */
export type HolderKind = (typeof holderKinds)[number];

/** Why a service ends: it was told to, or its platforms hear nothing any more and a new process may. */
export type Shutdown = "asked" | "deaf";

/** How well a chat service is heard. */
export interface Hearing {
  /** When its last poll was completed, in milliseconds since 1970; the only sign of life. Undefined before the first. */
  readonly lastPollAt: number | undefined;
  /** Why nothing is heard right now, in words for the owner; undefined where all is well. */
  readonly problem: string | undefined;
}

/** What the process that holds the data says of itself. */
export interface Status {
  readonly version: string;
  readonly pid: number;
  readonly kind: HolderKind;
  readonly home: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Queued and running tasks, oldest first. */
  readonly open: readonly Task[];
  /** Absent where no bot runs. */
  readonly telegram?: Hearing;
}

/** All that is known of one task. */
export interface TaskRecord extends Task {
  readonly steps: readonly Step[];
  readonly usage: readonly UsageRow[];
  readonly routes: readonly RouteRow[];
  readonly receipts: readonly Receipt[];
}

/** A bot as its platform knows it. */
export interface BotAccount {
  /** Without the @. */
  readonly username: string;
  readonly name: string;
  /** False where the platform hides from it what is said in groups and not meant for it. */
  readonly hearsGroups: boolean;
}

/** Totals, and what was spent of every cap of money that there is. */
export interface Totals extends Stats {
  readonly spending: readonly Spending[];
}

/** What each operation gives. */
interface Results {
  status: Status;
  ask: Task;
  attend: null;
  say: null;
  tasks: Task[];
  task: TaskRecord;
  export: TaskRecord[];
  stats: Totals;
  models: ListedModel[];
  explain: Explained[];
  votes: TextVotes;
  pull: null;
  doctor: Check[];
  person: PersonSettings;
  setPerson: null;
  people: KnownPerson[];
  invite: ShownCode;
  removePerson: KnownPerson;
  unlink: KnownPerson;
  pairCode: ShownCode;
  claim: NamedAccount;
  checkBot: BotAccount;
  privacy: PrivacyView;
  setPrivacy: PrivacyView;
  checkPrivacy: CheckedPath[];
  shutdown: boolean;
}

/** What an operation says while it works; a download's progress goes to every person who waits. */
interface Events {
  ask: TaskEvent;
  attend: TerminalEvent;
}

/** The name of an operation. */
export type OperationName = keyof typeof operationInputs;

/**
 * Operations that go on until their watcher ends them. They keep no process from ending: whoever holds the data next goes on with
 * them.
 */
export const lastingOperations: ReadonlySet<OperationName> = new Set(["attend"] as const);

/** What an operation is given. */
export type OperationInput<Name extends OperationName> = z.infer<(typeof operationInputs)[Name]>;

/** What an operation gives. */
export type OperationResult<Name extends OperationName> = Results[Name];

/** Who watches an operation, and how it is stopped. */
export interface OperationWatch<Name extends OperationName> {
  readonly onEvent?: (event: Name extends keyof Events ? Events[Name] : never) => void;
  readonly signal?: AbortSignal;
}

/**
 * All that the program can be asked to do, by its own command line, by a program, over the control socket and over HTTP. Each
 * rejects with an AppError that says what went wrong. Aborting the signal of `ask` ends its task as cancelled.
 */
export type Operations = {
  readonly [Name in OperationName]: (
    input: OperationInput<Name>,
    watch?: OperationWatch<Name>,
  ) => Promise<OperationResult<Name>>;
};

/** Makes one call of an operation. */
export type OperationCall = <Name extends OperationName>(
  name: Name,
  input: OperationInput<Name>,
  watch?: OperationWatch<Name>,
) => Promise<OperationResult<Name>>;

/** The operations over a function that makes each call, wherever it is answered. */
export function operationsOver(call: OperationCall): Operations {
  return {
    status: (input) => call("status", input),
    ask: (input, watch) => call("ask", input, watch),
    attend: (input, watch) => call("attend", input, watch),
    say: (input) => call("say", input),
    tasks: (input) => call("tasks", input),
    task: (input) => call("task", input),
    export: (input) => call("export", input),
    stats: (input) => call("stats", input),
    models: (input) => call("models", input),
    explain: (input) => call("explain", input),
    votes: (input) => call("votes", input),
    pull: (input, watch) => call("pull", input, watch),
    doctor: (input) => call("doctor", input),
    person: (input) => call("person", input),
    setPerson: (input) => call("setPerson", input),
    people: (input) => call("people", input),
    invite: (input) => call("invite", input),
    removePerson: (input) => call("removePerson", input),
    unlink: (input) => call("unlink", input),
    pairCode: (input) => call("pairCode", input),
    claim: (input) => call("claim", input),
    checkBot: (input) => call("checkBot", input),
    privacy: (input) => call("privacy", input),
    setPrivacy: (input) => call("setPrivacy", input),
    checkPrivacy: (input) => call("checkPrivacy", input),
    shutdown: (input) => call("shutdown", input),
  };
}
