import { createHash, hash, type Hash } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { Socket } from "node:net";

import type { Dispatcher } from "undici";

import type { Moved } from "./recorder.ts";

/** The bytes of one body as they pass. */
export interface Body {
  readonly bytes: () => number;
  readonly add: (chunk: Uint8Array) => void;
  /** Of all that passed; null where nothing did. Asked once, at the end. */
  readonly sha256: () => string | null;
}

/**
 * Counts and hashes a body. With `kept`, nobody changes a chunk's bytes once it has passed: most bodies are one chunk, which is
 * then hashed in one call, at a third of the cost.
 */
export function createBody(kept: boolean): Body {
  const state: { bytes: number; first: Uint8Array | undefined; hashing: Hash | undefined } = {
    bytes: 0,
    first: undefined,
    hashing: undefined,
  };
  return {
    bytes: () => state.bytes,
    add(chunk) {
      const isFirst = state.bytes === 0;
      state.bytes += chunk.byteLength;
      if (kept && isFirst) {
        state.first = chunk;
        return;
      }
      state.hashing ??= createHash("sha256");
      if (state.first !== undefined) state.hashing.update(state.first);
      state.first = undefined;
      state.hashing.update(chunk);
    },
    sha256() {
      if (state.hashing !== undefined) return state.hashing.digest("hex");
      return state.first === undefined ? null : hash("sha256", state.first, "hex");
    },
  };
}

/** One request and its answer on the connection that carries them. */
export interface Exchange {
  readonly out: Body;
  readonly in: Body;
  status: number | null;
  connection: { readonly socket: Socket; readonly out: number; readonly in: number } | undefined;
}

/** What a connection has received and its reader has taken. */
function takenFrom(socket: Socket): number {
  return socket.bytesRead - socket.readableLength;
}

/** What the connection moved since the request began, as head and body; HTTP/1 has one request at a time on a connection. */
function movedBy({ out, in: into, status, connection }: Exchange): Moved {
  const socket = connection?.socket;
  const allOut = socket === undefined ? 0 : socket.bytesWritten - (connection?.out ?? 0);
  const allIn = socket === undefined ? 0 : takenFrom(socket) - (connection?.in ?? 0);
  return {
    headBytesOut: allOut - out.bytes(),
    bodyBytesOut: out.bytes(),
    headBytesIn: allIn - into.bytes(),
    bodyBytesIn: into.bytes(),
    sha256Out: out.sha256(),
    sha256In: into.sha256(),
    status,
  };
}

/** Passes on what undici tells of a request, and counts. */
function counting(
  handler: Dispatcher.DispatchHandler,
  exchange: Exchange,
  ended: (moved: Moved) => void,
): Dispatcher.DispatchHandler {
  const state = { ended: false };
  const end = (): void => {
    if (!state.ended) ended(movedBy(exchange));
    state.ended = true;
  };
  return {
    onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
    onBodySent: (chunk) => exchange.out.add(chunk),
    onRequestUpgrade(controller, status, ...rest) {
      exchange.status = status;
      end();
      handler.onRequestUpgrade?.(controller, status, ...rest);
    },
    onResponseStarted: () => handler.onResponseStarted?.(),
    onResponseStart(controller, status, ...rest) {
      exchange.status = status;
      handler.onResponseStart?.(controller, status, ...rest);
    },
    onResponseData(controller, chunk) {
      exchange.in.add(chunk);
      handler.onResponseData?.(controller, chunk);
    },
    onResponseEnd(controller, trailers) {
      end();
      handler.onResponseEnd?.(controller, trailers);
    },
    onResponseError(controller, error) {
      end();
      handler.onResponseError?.(controller, error);
    },
  };
}

/** What an event of undici's names; a stranger's shape is a bug, since nothing would be counted. */
function requestIn(event: unknown): object {
  const isOne = typeof event === "object" && event !== null && "request" in event;
  if (isOne && typeof event.request === "object" && event.request !== null) return event.request;
  throw new TypeError("undici's event names no request");
}

function socketIn(event: unknown): Socket {
  const isOne = typeof event === "object" && event !== null && "socket" in event;
  if (isOne && event.socket instanceof Socket) return event.socket;
  throw new TypeError("undici's event names no socket");
}

/** How one request is watched. */
export interface Watch {
  /** True where nobody changes what was sent once it has passed. */
  readonly kept: boolean;
  /** Told once, when nothing more will be moved. */
  readonly ended: (moved: Moved) => void;
}

/** Counts what undici moves, per request. */
export interface Meter {
  /** A dispatcher for one request, which fails where it is made a second time. */
  metered(dispatcher: Dispatcher, watch: Watch): Dispatcher;
  close(): void;
}

/** A meter on undici's diagnostics channels (undici, docs/api/DiagnosticsChannel.md), which name the connection of a request. */
export function createMeter(): Meter {
  const exchanges = new WeakMap<object, Exchange>();
  const dispatching: { exchange: Exchange | undefined } = { exchange: undefined };

  // undici makes its request object first of all when one is dispatched; the next is a request of its own, to a proxy.
  const onCreate = (event: unknown): void => {
    const { exchange } = dispatching;
    dispatching.exchange = undefined;
    if (exchange !== undefined) exchanges.set(requestIn(event), exchange);
  };
  const onSend = (event: unknown): void => {
    const exchange = exchanges.get(requestIn(event));
    if (exchange === undefined) return;
    const socket = socketIn(event);
    exchange.connection = { socket, out: socket.bytesWritten, in: takenFrom(socket) };
  };
  subscribe("undici:request:create", onCreate);
  subscribe("undici:client:sendHeaders", onSend);

  return {
    metered(dispatcher, { kept, ended }) {
      const made = { once: false };
      return dispatcher.compose((dispatch) => (options, handler) => {
        // undici asks again where a server answers with 421; that would be a request without a receipt.
        if (made.once) throw new Error("the server wants the request a second time");
        made.once = true;
        const exchange = {
          out: createBody(kept),
          // undici gives its own copy of what came away.
          in: createBody(true),
          status: null,
          connection: undefined,
        };
        dispatching.exchange = exchange;
        try {
          return dispatch(options, counting(handler, exchange, ended));
        } finally {
          dispatching.exchange = undefined;
        }
      });
    },
    close() {
      unsubscribe("undici:request:create", onCreate);
      unsubscribe("undici:client:sendHeaders", onSend);
    },
  };
}
