import type { Clock } from "#core/clock.ts";
import { AppError, type ErrorCode } from "#core/errors.ts";
import { newId } from "#core/ids.ts";
import {
  type OperationCall,
  type OperationInput,
  type OperationName,
  type OperationResult,
  type Operations,
  operationsOver,
  type OperationWatch,
} from "#core/operations.ts";

import { type ClientOptions, type Connection, connectToHolder, NotTakenError } from "./client.ts";

/** How long to wait for a holder that is just starting or just ending. */
const patienceMs = 15_000;

const pauseMs = 50;

/** Failures of a holder that died or is ending: the next one can be asked the same. */
const holderGone: ReadonlySet<ErrorCode> = new Set(["service.gone", "service.stopping"]);

/** What access to the data is made of. */
export interface AccessOptions extends ClientOptions {
  readonly version: string;
  readonly clock: Clock;
  /** Takes the data for this process; rejects with `store.locked` when another has them. */
  readonly own: () => Promise<Operations>;
}

/** The way to the data: through the process that holds them, or by taking them. */
export interface Access {
  readonly operations: Operations;
  /** The connection to another process that holds the data, whatever its version; undefined when there is none. */
  readonly find: () => Promise<Connection | undefined>;
  /** Makes sure that somebody answers; true when it is this process. */
  readonly isOwn: () => Promise<boolean>;
  readonly close: () => void;
}

type Side =
  | { readonly own: true; readonly operations: Operations }
  | { readonly own: false; readonly operations: Operations; readonly close: () => void };

/** Hangs up and throws when the other side is of another version. */
function checkVersion({ hello, close }: Connection, version: string): void {
  if (hello.version === version) return;
  close();
  const { pid, version: theirs } = hello;
  throw new AppError("service.version", { pid, theirs, ours: version });
}

function createFinder(options: AccessOptions): () => Promise<Side> {
  const { clock, own, version } = options;

  async function once(): Promise<Side | AppError> {
    const joined = await connectToHolder(options);
    if (joined !== undefined) {
      checkVersion(joined, version);
      return { own: false, operations: joined.operations, close: joined.close };
    }
    try {
      return { own: true, operations: await own() };
    } catch (error) {
      if (error instanceof AppError && error.code === "store.locked") return error;
      throw error;
    }
  }

  return async () => {
    const until = clock.now() + patienceMs;
    for (;;) {
      const side = await once();
      if (!(side instanceof AppError)) return side;
      if (clock.now() >= until) throw side;
      await clock.sleep(pauseMs);
    }
  };
}

/** Does again what is known by an id, or changes nothing, where its holder died or is ending; until the signal aborts. */
async function again<Result>(
  work: () => Promise<Result>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Result> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const passes = error instanceof AppError && holderGone.has(error.code);
      if (!passes || signal.aborted) throw error;
      await clock.sleep(pauseMs, signal);
    }
  }
}

/**
 * The operations over calls that can be sent again: a request is given its id here, so that it is known whatever happens to the
 * connection.
 */
function repeatable(call: OperationCall, clock: Clock, closed: AbortSignal): Operations {
  return {
    ...operationsOver(call),
    ask: (input, watch) => call("ask", { taskId: newId(clock.now()), ...input }, watch),
    attend(input, watch = {}) {
      const signal = AbortSignal.any([closed, ...(watch.signal ? [watch.signal] : [])]);
      return again(() => call("attend", input, watch), { clock, signal });
    },
    say(input) {
      const named = { sayId: newId(clock.now()), ...input };
      return again(() => call("say", named), { clock, signal: closed });
    },
  };
}

/**
 * Access to a data directory. Each call goes to the process that holds the data; where none does, this one takes them. When the
 * holder goes away between two calls, the next finds another, or takes the data.
 */
export function createAccess(options: AccessOptions): Access {
  const find = createFinder(options);
  const state: { side: Promise<Side> | undefined } = { side: undefined };
  const closed = new AbortController();

  async function side(): Promise<Side> {
    state.side ??= find();
    try {
      return await state.side;
    } catch (error) {
      state.side = undefined;
      throw error;
    }
  }

  async function call<Name extends OperationName>(
    name: Name,
    input: OperationInput<Name>,
    watch?: OperationWatch<Name>,
  ): Promise<OperationResult<Name>> {
    for (;;) {
      const current = await side();
      const asked = state.side;
      try {
        return await current.operations[name](input, watch);
      } catch (error) {
        if (!(error instanceof NotTakenError)) throw error;
        // Another call may have found the next holder already.
        if (state.side === asked) state.side = undefined;
      }
    }
  }

  return {
    find: () => connectToHolder(options),
    isOwn: async () => (await side()).own,
    close() {
      closed.abort();
      state.side?.then(
        (made) => {
          if (!made.own) made.close();
        },
        () => {},
      );
    },
    operations: repeatable(call, options.clock, closed.signal),
  };
}
