import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import path from "node:path";

import type { Clock } from "#core/clock.ts";
import { AppError } from "#core/errors.ts";
import { shortId } from "#core/ids.ts";
import {
  type OperationInput,
  type OperationName,
  type OperationResult,
  type Operations,
  operationsOver,
  type OperationWatch,
} from "#core/operations.ts";

import { controlAddress, socketFile } from "./address.ts";
import { createDecoder, encodeFrame } from "./frames.ts";
import { type Hello, type Said, readServerFrame, type ServerFrame } from "./messages.ts";

/** How long the holder of the data may take to greet. */
const greetingMs = 5000;

/** A call was not taken up, because the other side went away first: it may be made again elsewhere. */
export class NotTakenError extends Error {
  constructor() {
    super("the call was not taken up");
    this.name = "NotTakenError";
  }
}

/** What a client needs. */
export interface ClientOptions {
  readonly folder: string;
  readonly clock: Clock;
  /** Shows what the holder says to every person who waits. */
  readonly onSaid: (said: Said) => void;
}

/** A connection to the process that holds the data. */
export interface Connection {
  readonly hello: Hello;
  /** A call that was not taken up rejects with a NotTakenError. */
  readonly operations: Operations;
  readonly close: () => void;
}

interface Pending {
  onEvent(event: unknown): void;
  resolve(result: unknown): void;
  reject(error: unknown): void;
  /** What to say when the other side dies. */
  readonly lost: AppError;
}

/** The calls of one connection that have no answer yet. */
function createCalls(onSaid: (said: Said) => void) {
  const pending = new Map<number, Pending>();
  const state = { left: false };

  function settle(id: number, how: (call: Pending) => void): void {
    const call = pending.get(id);
    pending.delete(id);
    if (call !== undefined) how(call);
  }

  return {
    pending,
    take(frame: ServerFrame): void {
      if ("bye" in frame) state.left = true;
      else if ("said" in frame) onSaid(frame.said);
      else if ("event" in frame) pending.get(frame.id)?.onEvent(frame.event);
      else if ("done" in frame) settle(frame.id, (call) => call.resolve(frame.result));
      else if ("failure" in frame) {
        const { code, sentence } = frame.failure;
        settle(frame.id, (call) => call.reject(new AppError(code, {}, { sentence })));
      }
    },
    /** The connection has ended. */
    end(): void {
      for (const call of pending.values()) {
        call.reject(state.left ? new NotTakenError() : call.lost);
      }
      pending.clear();
    },
  };
}

type Calls = ReturnType<typeof createCalls>;

function lostFor(name: OperationName, input: unknown): AppError {
  const named = typeof input === "object" && input !== null && "taskId" in input;
  if (name !== "ask" || !named) return new AppError("service.gone");
  return new AppError("service.lost", { task: shortId(String(input.taskId)) });
}

function createCall(socket: Socket, calls: Calls) {
  const state = { last: 0 };
  return async <Name extends OperationName>(
    name: Name,
    input: OperationInput<Name>,
    watch: OperationWatch<Name> = {},
  ): Promise<OperationResult<Name>> => {
    if (socket.destroyed || socket.readableEnded) throw new NotTakenError();
    const id = (state.last += 1);
    const { signal, onEvent } = watch;
    const cancel = (): void => void socket.write(encodeFrame({ id, cancel: true }));
    const { promise, resolve, reject } = Promise.withResolvers<OperationResult<Name>>();
    calls.pending.set(id, {
      // Both ends are the same version of the same program (the greeting says so), so their types are each other's.
      onEvent: (event: never) => onEvent?.(event),
      resolve: (result: never) => resolve(result),
      reject,
      lost: lostFor(name, input),
    });
    socket.write(encodeFrame({ id, call: name, input }));
    signal?.addEventListener("abort", cancel);
    if (signal?.aborted === true) cancel();
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  };
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** A connected socket; undefined when nobody listens. */
function dial(folder: string): Promise<Socket | undefined> {
  const address = controlAddress(folder);
  const socket = connect(address.path);
  return new Promise((resolve, reject) => {
    socket.once("connect", () => {
      address.release();
      resolve(socket);
    });
    socket.once("error", (error) => {
      address.release();
      if (/^(ENOENT|ECONNREFUSED|ENOTDIR|ENOTSOCK|ECONNRESET)$/.test(codeOf(error))) {
        resolve(undefined);
        return;
      }
      const details = { file: socketFile(folder) ?? address.path, problem: codeOf(error) };
      reject(new AppError("service.refused", details, { cause: error }));
    });
  });
}

function holder(folder: string): string {
  try {
    return readFileSync(path.join(folder, "lock.pid"), "utf8").trim();
  } catch {
    return "unknown";
  }
}

/** Reads a socket's frames into the calls; resolves with the greeting, or undefined when the other side goes away before it. */
function greet(socket: Socket, calls: Calls): Promise<Hello | undefined> {
  const decoder = createDecoder();
  return new Promise((resolve) => {
    socket.on("data", (piece) => {
      try {
        for (const value of decoder.push(piece)) {
          const frame = readServerFrame(value);
          if (frame === undefined) socket.destroy();
          else if ("hello" in frame) resolve(frame.hello);
          else calls.take(frame);
        }
      } catch {
        socket.destroy();
      }
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      calls.end();
      resolve(undefined);
    });
  });
}

/**
 * Connects to the process that holds a data directory; undefined when there is none. Rejects with `service.silent` or
 * `service.refused`. The caller compares the greeting's version with its own.
 */
export async function connectToHolder(options: ClientOptions): Promise<Connection | undefined> {
  const { folder, clock, onSaid } = options;
  const socket = await dial(folder);
  if (socket === undefined) return undefined;
  const calls = createCalls(onSaid);
  const greeted = new AbortController();
  const silence = clock.sleep(greetingMs, greeted.signal).then(() => "silent" as const);
  const hello = await Promise.race([greet(socket, calls), silence]);
  greeted.abort();
  if (hello === "silent") {
    socket.destroy();
    throw new AppError("service.silent", { folder, pid: holder(folder) });
  }
  if (hello === undefined) return undefined;
  return {
    hello,
    operations: operationsOver(createCall(socket, calls)),
    close: () => void socket.destroy(),
  };
}
