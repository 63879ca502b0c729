import type { AttachmentStore, FileStore, StoredAttachment, TaskFiles } from "#core/attachments.ts";
import type { Attachment, FetchedFile } from "#core/chat.ts";
import type { Clock } from "#core/clock.ts";
import { AppError, reasonOf } from "#core/errors.ts";
import type { Log } from "#core/log.ts";
import type { Task } from "#core/task.ts";

import { describeFiles, sizeWords } from "./attached-words.ts";
import { platformOf, type Platforms } from "./parts.ts";

/** What the files of messages are taken with. */
export interface AttachmentDeps {
  readonly store: AttachmentStore;
  readonly files: FileStore;
  readonly platforms: Platforms;
  readonly clock: Clock;
  readonly log: Log;
  /** The largest file that is taken. */
  readonly mostBytes: number;
}

/** The files that come with messages. */
export interface Attachments {
  /** Notes a message's files, so that no crash forgets them; to be called before the message becomes a task. */
  readonly note: (
    message: { readonly chatId: string; readonly messageId: string },
    attachments: readonly Attachment[],
  ) => Promise<void>;
  /**
   * Fetches those files of a task that are neither stored nor given up, and gives what all of them add to it. A file that cannot be
   * had becomes words. Ends early with the signal; rejects only with a `store.*` and with bugs.
   */
  readonly prepare: (task: Task, signal: AbortSignal) => Promise<TaskFiles>;
}

/** So many files of a task are fetched at once. */
const atOnce = 2;
const tries = 3;
const firstPauseMs = 1000;
/** A file that takes longer than this is given up: its task waits for it. */
const longestFetchMs = 3 * 60_000;

type Outcome = Parameters<AttachmentStore["settleAttachment"]>[1];

/** Failures that stay as they are. */
const final: ReadonlySet<string> = new Set(["chat.file-too-large", "chat.file-gone"]);

function unreachable(name: string, problem: string, cause?: unknown): AppError {
  return new AppError("chat.file-unreachable", { name, problem }, { cause });
}

/** What an unknown failure of a fetch means; a store's is thrown on. */
function explained(error: unknown, name: string): AppError {
  if (!(error instanceof AppError)) return unreachable(name, "the connection broke", error);
  if (error.code.startsWith("store.")) throw error;
  return error;
}

/** Rejects with the signal's reason as soon as it aborts, whatever becomes of the work. */
async function until<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  const gone = Promise.withResolvers<never>();
  const leave = (): void => gone.reject(signal.reason);
  if (signal.aborted) leave();
  else signal.addEventListener("abort", leave, { once: true });
  try {
    return await Promise.race([work, gone.promise]);
  } finally {
    signal.removeEventListener("abort", leave);
    work.catch(() => undefined);
  }
}

function tooLarge({ name, size }: StoredAttachment, mostBytes: number): AppError {
  const limit = sizeWords(mostBytes);
  const known = size === null ? `more than ${limit}` : sizeWords(size);
  return new AppError("chat.file-too-large", { name, size: known, limit });
}

/** Stores what comes of a file; one that turns out to be larger than it was said to be is given up in the middle. */
async function keep(
  { files, mostBytes }: AttachmentDeps,
  file: StoredAttachment,
  { body, size }: FetchedFile,
): Promise<Outcome> {
  if (size !== null && size > mostBytes) {
    await body.cancel();
    throw tooLarge({ ...file, size }, mostBytes);
  }
  try {
    return await files.put(body, mostBytes);
  } catch (error) {
    const isOver = error instanceof AppError && error.code === "chat.file-too-large";
    throw isOver ? tooLarge({ ...file, size: null }, mostBytes) : error;
  }
}

/** Fetches and stores one file. */
function createTaking(deps: AttachmentDeps) {
  const { platforms, clock, log, mostBytes } = deps;

  async function tryOnce(
    file: StoredAttachment,
    signal: AbortSignal,
    taskId: string,
  ): Promise<Outcome> {
    const { name, chatId, size } = file;
    const fetchFile = platforms.get(platformOf(chatId))?.fetchFile;
    if (fetchFile === undefined) {
      throw new AppError("chat.file-gone", { name, problem: "files are not taken here" });
    }
    if (size !== null && size > mostBytes) throw tooLarge(file, mostBytes);
    const [late, done] = [new AbortController(), new AbortController()];
    const giveUp = (): void => late.abort(unreachable(name, "it took too long"));
    void clock.sleep(longestFetchMs, done.signal).then(giveUp);
    const either = AbortSignal.any([signal, late.signal]);
    try {
      const taken = fetchFile(file, either, taskId).then((fetched) => keep(deps, file, fetched));
      return await until(either, taken);
    } finally {
      done.abort();
    }
  }

  /** What became of a file; undefined where it was left for the next time. */
  return async (
    file: StoredAttachment,
    signal: AbortSignal,
    taskId: string,
  ): Promise<Outcome | undefined> => {
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        return await tryOnce(file, signal, taskId);
      } catch (error) {
        if (signal.aborted) return undefined;
        const failure = explained(error, file.name);
        log.warn("file not fetched", { file: file.id, reason: reasonOf(failure), tries: failures });
        if (final.has(failure.code) || failures >= tries) return { problem: failure.message };
        await clock.sleep(firstPauseMs * 2 ** (failures - 1), signal);
      }
    }
    return undefined;
  };
}

/** Does a piece of work for each item, a few at a time; gives the results in the order of the items. */
async function eachOf<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results = new Map<number, Result>();
  const left = items.entries();
  const worker = async (): Promise<void> => {
    for (const [at, item] of left) results.set(at, await work(item));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return items.flatMap((_, at) => results.get(at) ?? []);
}

/** The files of messages over their parts. */
export function createAttachments(deps: AttachmentDeps): Attachments {
  const { store, files } = deps;
  const take = createTaking(deps);

  async function settle(
    file: StoredAttachment,
    signal: AbortSignal,
    taskId: string,
  ): Promise<StoredAttachment> {
    if (file.sha256 !== null || file.problem !== null) return file;
    const outcome = await take(file, signal, taskId);
    if (outcome === undefined) return file;
    await store.settleAttachment(file.id, outcome);
    return { ...file, ...outcome };
  }

  return {
    async note(message, attachments) {
      if (attachments.length > 0) await store.noteAttachments(message, attachments);
    },
    async prepare(task, signal) {
      const known = await store.attachmentsOf(task.id);
      const settled = await eachOf(known, (file) => settle(file, signal, task.id));
      return describeFiles(settled, (sha256) => files.read(sha256));
    },
  };
}
