import type { Away, ChatEvent, Update } from "#core/chat.ts";
import type { Received } from "#core/chat-store.ts";
import { AppError, reasonOf } from "#core/errors.ts";
import { insist } from "#core/insist.ts";

import { createAnswering } from "./answering.ts";
import { createCaughtUp } from "./caught-up.ts";
import type { Command } from "./command.ts";
import { createCommands } from "./commands.ts";
import { createPeopleCommands } from "./people-commands.ts";
import { remind } from "./remind.ts";
import type { ChatsDeps } from "./replies.ts";
import { createReceipts } from "./receipts.ts";
import { createSender } from "./sender.ts";
import { createWork } from "./work.ts";

/** Every chat of every platform. */
export interface Chats {
  /** Stores what a platform handed over, once; resolves when the platform may be told that it arrived. */
  accept(
    from: { readonly platform: string; readonly account: string },
    updates: readonly Update[],
    away?: Away,
  ): Promise<void>;
  /** The commands that there are, those used most first. */
  readonly commands: readonly Pick<Command, "name" | "about" | "shownTo">[];
  /** Goes on with what an earlier process left of a platform; resolves when all of it is under way. */
  start(platform: string): Promise<void>;
  /**
   * Somebody has come to a chat whose messages do not stay: sends what could not be sent before and, where they are not to be seen
   * any more, draws the questions that wait again.
   */
  open(chatId: string, seen: { readonly questions: boolean }): Promise<void>;
  /**
   * Resolves when all that was said in a chat is answered and sent, waits for a person, or has nobody to see it. Rejects with
   * `service.stopping` where this process ends before.
   */
  quiet(chatId: string): Promise<void>;
  /** Ends when all that was taken is under way and all that is to be sent is sent, or after so many milliseconds. */
  stop(graceMs: number): Promise<void>;
}

/** How long an update that is done is known again: a platform repeats one for a day. */
const rememberMs = 7 * 86_400_000;

/** Runs what is handed in under one key in order. */
function createOrder() {
  const tails = new Map<string, Promise<void>>();
  return {
    add(key: string, work: () => Promise<void>): void {
      const tail = (tails.get(key) ?? Promise.resolve()).then(work);
      tails.set(key, tail);
      void tail.finally(() => {
        if (tails.get(key) === tail) tails.delete(key);
      });
    },
    async settled(): Promise<void> {
      while (tails.size > 0) await Promise.all(tails.values());
    },
    /** What is handed in under this key by now is done. */
    done: async (key: string): Promise<void> => tails.get(key),
  };
}

function addressOf(event: ChatEvent): string {
  return event.type === "nothing" ? "" : event.place.address;
}

/** True where a later message belongs to the same album: they came as one, and are answered as one. */
function albumGoesOn({ event }: Received, later: readonly Received[]): boolean {
  if (event.type !== "message" || event.album === undefined) return false;
  const { album, place } = event;
  return later.some(
    (other) =>
      other.event.type === "message" &&
      other.event.album === album &&
      other.event.place.address === place.address,
  );
}

/** Goes on where the store takes nothing for now: what was accepted is not left lying until the next start. */
function createPersist({ clock, log }: ChatsDeps, signal: AbortSignal) {
  const onTrouble = (error: unknown): void =>
    log.warn("the store takes nothing: tried again", { reason: reasonOf(error) });
  return (piece: () => Promise<void>) => insist(piece, { clock, signal, onTrouble });
}

/** Answers updates, those of one place in order. */
function createHandle(
  { store, platforms, log }: ChatsDeps,
  by: {
    readonly answer: ReturnType<typeof createAnswering>;
    readonly order: ReturnType<typeof createOrder>;
    readonly persist: ReturnType<typeof createPersist>;
  },
) {
  return (name: string, received: Received, goesOn = false): void => {
    const platform = platforms.get(name);
    if (platform === undefined) return;
    by.order.add(`${name}:${addressOf(received.event)}`, async () => {
      try {
        await by.persist(async () => {
          if (!(await by.answer(platform, received, goesOn))) await store.handled(received.seq);
        });
      } catch (error) {
        log.bug(error, { update: received.seq });
        // What the store could not take is taken at the next start; a bug would only come again.
        if (!(error instanceof AppError)) await store.handled(received.seq).catch(() => undefined);
      }
    });
  };
}

/** Takes what a platform handed over: stored first, then answered. */
function createAccept(
  { store, log }: ChatsDeps,
  caughtUp: ReturnType<typeof createCaughtUp>,
  handle: ReturnType<typeof createHandle>,
): Chats["accept"] {
  return async (from, updates, away) => {
    const fresh = await store.receive(from, updates);
    // These are not fresh a second time: a notice that fails must not keep them from being handled.
    if (away !== undefined) {
      await caughtUp
        .add(fresh, away)
        .catch((error: unknown) => log.warn("absence not told", { reason: reasonOf(error) }));
    }
    fresh.forEach((received, at) => {
      handle(from.platform, received, albumGoesOn(received, fresh.slice(at + 1)));
    });
  };
}

/** The chats over their parts. */
export function createChats(deps: ChatsDeps): Chats {
  const { store, people, clock } = deps;
  const sender = createSender(deps);
  const receipts = createReceipts();
  const work = createWork({ ...deps, receipts }, sender);
  const more = createPeopleCommands(deps);
  const { privacy, spending } = deps;
  const commands = createCommands({ store, work, clock, privacy, spending, more }, deps.agents);
  const answer = createAnswering(deps, { work, sender, commands, receipts });
  const caughtUp = createCaughtUp(deps, sender);
  people.onRemoved((running) => running.forEach((taskId) => void work.stop(taskId)));
  const order = createOrder();
  const ending = new AbortController();
  const persist = createPersist(deps, ending.signal);

  const handle = createHandle(deps, { answer, order, persist });

  return {
    commands,
    accept: createAccept(deps, caughtUp, handle),
    async start(platform) {
      await persist(() => store.forgetUpdates(clock.now() - rememberMs));
      await work.resume(platform);
      for (const received of await store.unhandled(platform)) handle(platform, received);
      await sender.recover(platform);
      await order.settled();
    },
    async open(chatId, seen) {
      if (!seen.questions) await remind(deps, chatId);
      sender.wake(chatId);
    },
    async quiet(chatId) {
      // What is said begins a task, and a task's end has something sent.
      await order.done(chatId);
      await work.quiet(chatId);
      await sender.quiet(chatId);
      if (ending.signal.aborted) throw new AppError("service.stopping");
    },
    async stop(graceMs) {
      ending.abort();
      await order.settled();
      await work.settled();
      await sender.stop(graceMs);
    },
  };
}
