import { choiceOf } from "#core/choice.ts";
import type { Clock } from "#core/clock.ts";
import type { Check } from "#core/doctor.ts";
import { AppError } from "#core/errors.ts";
import type { Spending } from "#core/ledger.ts";
import type { Models } from "#core/models.ts";
import type { BotAccount, Hearing, Operations, Status, TaskRecord } from "#core/operations.ts";
import type { PeopleDesk } from "#core/people.ts";
import type { PrivacyDesk } from "#core/privacy.ts";
import type { Runner } from "#core/runner.ts";
import type { Store } from "#core/store.ts";
import type { Task } from "#core/task.ts";
import { checkLanguage, checkTimeZone } from "#core/time.ts";

import { type Talk, talking } from "./talk.ts";

const dayMs = 86_400_000;

/** The parts that the operations work with; each is made when it is first asked for. */
export interface LocalParts {
  readonly clock: Clock;
  readonly status: Omit<Status, "open" | "telegram">;
  /** How well Telegram is heard; undefined where no bot runs. */
  readonly hearing: () => Promise<Hearing | undefined>;
  readonly store: () => Promise<Store>;
  readonly runner: () => Promise<Runner>;
  readonly models: () => Promise<Models>;
  readonly doctor: () => Promise<Check[]>;
  readonly people: () => Promise<PeopleDesk>;
  readonly privacy: () => Promise<PrivacyDesk>;
  /** What was spent of every cap. */
  readonly spending: () => Promise<readonly Spending[]>;
  readonly talk: () => Promise<Talk>;
  /** Asks Telegram whose token this is. */
  readonly checkBot: (token: string) => Promise<BotAccount>;
  /** Ends the process; absent where it is no service. */
  readonly shutdown?: () => void;
}

async function recordOf(store: Store, task: Task): Promise<TaskRecord> {
  const [steps, usage, routes, receipts] = await Promise.all([
    store.steps(task.id),
    store.usage(task.id),
    store.routes(task.id),
    store.receipts(task.id),
  ]);
  return { ...task, steps, usage, routes, receipts };
}

async function findTask(store: Store, ending: string): Promise<Task> {
  const [task, ...others] = await store.tasksEnding(ending);
  if (task === undefined) throw new AppError("usage.unknown-task", { id: ending });
  if (others.length === 0) return task;
  throw new AppError("usage.ambiguous-task", { id: ending, count: others.length + 1 });
}

/** The chat of an id such as terminal:main. */
function chatOf(chatId: string, personId: string) {
  return { id: chatId, platform: chatId.split(":", 1)[0] ?? chatId, personId };
}

type Answering = Pick<Operations, "status" | "ask" | "person" | "setPerson">;

function answering({ status, store, runner, hearing }: LocalParts): Answering {
  return {
    async status() {
      const telegram = await hearing();
      const open = await (await store()).openTasks();
      return { ...status, open, ...(telegram === undefined ? {} : { telegram }) };
    },
    async ask(input, watch) {
      await (await store()).ensureChat(chatOf(input.chatId, input.personId));
      return (await runner()).run(input, watch);
    },
    person: async ({ personId }) => (await store()).person(personId),
    async setPerson({ personId, timeZone, language }) {
      if (typeof timeZone === "string") checkTimeZone(timeZone);
      if (typeof language === "string") checkLanguage(language);
      await (await store()).setPerson(personId, { timeZone, language });
      return null;
    },
  };
}

type Peopling = Pick<
  Operations,
  "people" | "invite" | "removePerson" | "unlink" | "pairCode" | "claim" | "checkBot"
>;

function peopling({ people, checkBot }: LocalParts): Peopling {
  return {
    people: async () => (await people()).list(),
    invite: async ({ name }) => (await people()).invite(name),
    removePerson: async ({ name }) => (await people()).remove(name),
    unlink: async ({ account }) => (await people()).unlink(account),
    pairCode: async () => (await people()).pairCode(),
    claim: async ({ code }) => (await people()).claim(code),
    checkBot: ({ token }) => checkBot(token),
  };
}

type Guarding = Pick<Operations, "privacy" | "setPrivacy" | "checkPrivacy">;

function guarding({ privacy }: LocalParts): Guarding {
  return {
    privacy: async () => (await privacy()).view(),
    setPrivacy: async (change) => (await privacy()).change(change),
    checkPrivacy: async () => (await privacy()).check(),
  };
}

/** What every stage says of a text, after the owner's word is stored where it was given. */
function voting({ runner }: LocalParts): Pick<Operations, "votes"> {
  return {
    async votes({ words, is }) {
      const made = await runner();
      const said = is === undefined ? undefined : await made.correct({ text: words, agent: is });
      const learned = await said?.learned;
      const votes = await made.votes(words, new AbortController().signal);
      return { votes, choice: choiceOf(votes), ...(learned === undefined ? {} : { learned }) };
    },
  };
}

/** The operations over the parts of this process. */
export function createLocalOperations(parts: LocalParts): Operations {
  const { clock, store, models, doctor, shutdown } = parts;
  return {
    ...answering(parts),
    ...peopling(parts),
    ...guarding(parts),
    ...voting(parts),
    ...talking(clock, parts.talk),
    tasks: async (query) => (await store()).tasks(query),
    async task({ ending }) {
      const made = await store();
      return recordOf(made, await findTask(made, ending));
    },
    async export({ after, limit }) {
      const made = await store();
      const page = await made.tasksAfter(after, limit);
      return Promise.all(page.map((task) => recordOf(made, task)));
    },
    async stats({ days }) {
      const [totals, spending] = await Promise.all([
        (await store()).stats(clock.now() - days * dayMs),
        parts.spending(),
      ]);
      return { ...totals, spending };
    },
    models: async () => (await models()).list(),
    explain: async ({ tier }) => (await models()).explain(tier),
    async pull({ name }, watch) {
      await (await models()).pull(name, watch?.signal ?? new AbortController().signal);
      return null;
    },
    doctor: () => doctor(),
    shutdown() {
      shutdown?.();
      return Promise.resolve(shutdown !== undefined);
    },
  };
}
