import { once } from "node:events";
import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";

import { z } from "zod";

import { AppError, reasonOf } from "#core/errors.ts";
import { operationInputs } from "#core/operation-inputs.ts";
import {
  lastingOperations,
  type OperationInput,
  type OperationName,
  type OperationResult,
  type Operations,
} from "#core/operations.ts";

import { controlAddress, socketFile } from "./address.ts";
import { createDecoder, encodeFrame } from "./frames.ts";
import type { Hello, Said, ServerFrame } from "./messages.ts";

const callId = z.int().min(1);

/** What a client sends: a call, or the wish that one of its calls ends. */
const clientFrameSchema = z.union([
  z.strictObject({
    id: callId,
    call: z.custom<OperationName>((name) => typeof name === "string" && name in operationInputs),
    input: z.unknown(),
  }),
  z.strictObject({ id: callId, cancel: z.literal(true) }),
]);

/** What answers on a control socket. */
export interface ServerOptions {
  /** The data directory; its lock is held by this process. */
  readonly folder: string;
  readonly hello: Hello;
  readonly operations: Operations;
  /** Told of what was not raised on purpose; the client gets one sentence. */
  readonly onBug: (error: unknown) => Promise<void>;
}

/** A control socket that is open. */
export interface ControlServer {
  /** Calls under way, apart from those that last until their client leaves. */
  readonly busy: () => number;
  /** Tells every client that waits for something. */
  readonly say: (said: Said) => void;
  /** Asks every call under way to stop. */
  readonly abort: () => void;
  /** Waits until no call is under way, those that come meanwhile included, then takes the socket away. */
  readonly close: () => Promise<void>;
}

/** The calls under way of every client. */
interface Calls {
  readonly sockets: Set<Socket>;
  readonly waiting: Map<Socket, number>;
  readonly running: Set<AbortController>;
  /** Calls that last until their client leaves, or until this process does. */
  readonly lasting: Set<AbortController>;
  count: number;
  idle: () => void;
}

/** Why a call that lasts is ended here: it goes on elsewhere, and gets no answer. */
const carriedOver = "carried over";

function send(socket: Socket, frame: ServerFrame): void {
  // A client that has gone away needs no answer: its task goes on, and history has it.
  if (!socket.destroyed) socket.write(encodeFrame(frame));
}

function failureFrame(options: ServerOptions, id: number, error: unknown): ServerFrame {
  if (error instanceof AppError) return { id, failure: error.failure };
  void options.onBug(error);
  const sentence = `Something went wrong in the program itself: ${reasonOf(error)} (agent logs says more).`;
  return { id, failure: { code: "bug", sentence } };
}

const schemas: { readonly [Name in OperationName]: z.ZodType<OperationInput<Name>> } =
  operationInputs;

async function perform<Name extends OperationName>(
  operations: Operations,
  call: { readonly name: Name; readonly input: unknown },
  watch: { readonly onEvent: (event: unknown) => void; readonly signal: AbortSignal },
): Promise<OperationResult<Name>> {
  const input = schemas[call.name].safeParse(call.input);
  if (input.success) return operations[call.name](input.data, watch);
  const problem = `The operation ${call.name} was given what it does not take: ${reasonOf(input.error)}`;
  throw new AppError("usage.option", { problem });
}

/** Works the calls of one client. */
function createWorking(options: ServerOptions, calls: Calls, socket: Socket) {
  const running = new Map<number, AbortController>();
  const lasting = new Set<AbortController>();

  async function outcome(
    id: number,
    call: { readonly name: OperationName; readonly input: unknown },
    signal: AbortSignal,
  ): Promise<ServerFrame> {
    const onEvent = (event: unknown): void => send(socket, { id, event });
    try {
      const result = await perform(options.operations, call, { onEvent, signal });
      return { id, done: true, result };
    } catch (error) {
      // Work that was stopped rejects with the signal's reason, which is no bug.
      const stopped = signal.aborted && error === signal.reason;
      const known = stopped ? new AppError("task.cancelled", {}, { cause: error }) : error;
      return failureFrame(options, id, known);
    }
  }

  return {
    running,
    /** The client has gone away. */
    left(): void {
      for (const stop of lasting) stop.abort();
    },
    async answer(id: number, name: OperationName, input: unknown): Promise<void> {
      const stop = new AbortController();
      running.set(id, stop);
      calls.running.add(stop);
      calls.count += 1;
      calls.waiting.set(socket, (calls.waiting.get(socket) ?? 0) + 1);
      send(socket, await outcome(id, { name, input }, stop.signal));
      running.delete(id);
      calls.running.delete(stop);
      calls.count -= 1;
      calls.waiting.set(socket, (calls.waiting.get(socket) ?? 1) - 1);
      if (calls.count === 0) calls.idle();
    },
    async last(id: number, name: OperationName, input: unknown): Promise<void> {
      const stop = new AbortController();
      running.set(id, stop);
      lasting.add(stop);
      calls.lasting.add(stop);
      const frame = await outcome(id, { name, input }, stop.signal);
      if (stop.signal.reason !== carriedOver) send(socket, frame);
      running.delete(id);
      lasting.delete(stop);
      calls.lasting.delete(stop);
    },
  };
}

/** Answers one client until it goes away. */
function createListener(options: ServerOptions, calls: Calls) {
  return (socket: Socket): void => {
    const decoder = createDecoder();
    const working = createWorking(options, calls, socket);

    function take(value: unknown): void {
      const frame = clientFrameSchema.parse(value);
      if ("cancel" in frame) working.running.get(frame.id)?.abort();
      else {
        const { id, call, input } = frame;
        if (lastingOperations.has(call)) void working.last(id, call, input);
        else void working.answer(id, call, input);
      }
    }

    calls.sockets.add(socket);
    socket.on("close", () => {
      working.left();
      calls.sockets.delete(socket);
      calls.waiting.delete(socket);
    });
    socket.on("error", () => socket.destroy());
    socket.on("data", (piece) => {
      try {
        for (const value of decoder.push(piece)) take(value);
      } catch {
        // Whoever sends what is no frame of ours is no client of ours.
        socket.destroy();
      }
    });
    send(socket, { hello: options.hello });
  };
}

async function open(folder: string, listener: (socket: Socket) => void): Promise<Server> {
  const file = socketFile(folder);
  // Whoever holds the lock owns the file: one that is there was left by a process that died.
  if (file !== undefined) rmSync(file, { force: true });
  const address = controlAddress(folder);
  try {
    const server = createServer(listener).listen(address.path);
    await once(server, "listening");
    if (file !== undefined) chmodSync(file, 0o600);
    return server;
  } finally {
    address.release();
  }
}

/** Answers the control socket of a data directory; to be opened only by the process that holds its lock. */
export async function openControlServer(options: ServerOptions): Promise<ControlServer> {
  const calls: Calls = {
    sockets: new Set(),
    waiting: new Map(),
    running: new Set(),
    lasting: new Set(),
    count: 0,
    idle: () => {},
  };
  const server = await open(options.folder, createListener(options, calls));
  // The socket alone keeps no process alive; calls under way do.
  server.unref();

  function idle(): Promise<void> {
    return new Promise((resolve) => {
      calls.idle = resolve;
      if (calls.count === 0) resolve();
    });
  }

  return {
    busy: () => calls.count,
    say(said) {
      for (const [socket, count] of calls.waiting) if (count > 0) send(socket, { said });
    },
    abort() {
      for (const call of calls.running) call.abort();
    },
    async close() {
      await idle();
      for (const stop of calls.lasting) stop.abort(carriedOver);
      const closed = once(server, "close");
      server.close();
      for (const socket of calls.sockets) {
        send(socket, { bye: true });
        socket.end();
        // Nothing that comes after the farewell is taken up.
        socket.removeAllListeners("data").resume();
        socket.destroySoon();
      }
      await closed;
    },
  };
}
