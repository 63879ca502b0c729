import { createHash, type Hash } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";

import type { Dispatcher } from "undici";

import type { Receipt } from "#core/http.ts";

/** What one request has moved, as its receipt says it. */
export type Count = Pick<
  Receipt,
  | "headBytesOut"
  | "bodyBytesOut"
  | "headBytesIn"
  | "bodyBytesIn"
  | "sha256Out"
  | "sha256In"
  | "status"
>;

/** The count of what has not moved anything yet. */
export const nothingMoved: Count = {
  headBytesOut: 0,
  bodyBytesOut: 0,
  headBytesIn: 0,
  bodyBytesIn: 0,
  sha256Out: null,
  sha256In: null,
  status: null,
};

/** What follows one request: called once with its count, when nothing more will be counted. */
export type Watch = (count: Count) => void;

/** Counts what undici sends and receives, per request. */
export interface Meter {
  /** Dispatches so that `watch` follows this request. */
  dispatch(run: () => boolean, watch: Watch): boolean;
  close(): void;
}

/** A connection's bytes so far, before TLS. */
interface Line {
  readonly bytesWritten: number;
  readonly bytesRead: number;
}

function isLine(value: unknown): value is Line {
  return (
    typeof value === "object" && value !== null && "bytesWritten" in value && "bytesRead" in value
  );
}

/** A body, one way. */
function createBody() {
  let bytes = 0;
  let hash: Hash | undefined;
  return {
    add(chunk: string | Uint8Array): void {
      bytes += typeof chunk === "string" ? Buffer.byteLength(chunk) : chunk.byteLength;
      (hash ??= createHash("sha256")).update(chunk);
    },
    bytes: () => bytes,
    sha256: () => hash?.digest("hex") ?? null,
  };
}

/** A request on its way. A connection has one at a time, so what it moves meanwhile is this request's. */
function createTally(watch: Watch) {
  const out = createBody();
  const back = createBody();
  let line: Line | undefined;
  let written = 0;
  let read = 0;
  let status: number | null = null;
  return {
    begin(socket: Line): void {
      line = socket;
      written = socket.bytesWritten;
      read = socket.bytesRead;
    },
    out,
    back,
    answered(code: number): void {
      status = code;
    },
    end(): void {
      const wholeOut = line === undefined ? 0 : line.bytesWritten - written;
      const wholeIn = line === undefined ? 0 : line.bytesRead - read;
      watch({
        headBytesOut: Math.max(0, wholeOut - out.bytes()),
        bodyBytesOut: out.bytes(),
        headBytesIn: Math.max(0, wholeIn - back.bytes()),
        bodyBytesIn: back.bytes(),
        sha256Out: out.sha256(),
        sha256In: back.sha256(),
        status,
      });
    },
  };
}

type Tally = ReturnType<typeof createTally>;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

type Event = Readonly<Record<string, unknown>>;

/** What each of undici's events does to the tally of its request. */
const effects: Readonly<Record<string, (tally: Tally, event: Event) => void>> = {
  "undici:client:sendHeaders": (tally, { socket }) => {
    if (isLine(socket)) tally.begin(socket);
  },
  "undici:request:bodyChunkSent": (tally, { chunk }) => {
    if (typeof chunk === "string" || chunk instanceof Uint8Array) tally.out.add(chunk);
  },
  "undici:request:headers": (tally, { response }) => {
    if (isObject(response)) tally.answered(Number(response["statusCode"]));
  },
  "undici:request:bodyChunkReceived": (tally, { chunk }) => {
    if (typeof chunk === "string" || chunk instanceof Uint8Array) tally.back.add(chunk);
  },
  "undici:request:trailers": (tally) => tally.end(),
  "undici:request:error": (tally) => tally.end(),
};

const last: ReadonlySet<string> = new Set(["undici:request:trailers", "undici:request:error"]);

/** A meter on undici's diagnostics channels (undici, docs/api/DiagnosticsChannel.md), which name the request in each event. */
export function createMeter(): Meter {
  const tallies = new WeakMap<object, Tally>();
  // undici makes its request object, and says so, while it is being dispatched.
  const dispatching: { watch: Watch | undefined } = { watch: undefined };

  function create(event: unknown): void {
    const { watch } = dispatching;
    if (watch === undefined || !isObject(event) || !isObject(event["request"])) return;
    tallies.set(event["request"], createTally(watch));
  }

  const listeners: [string, (event: unknown) => void][] = Object.entries(effects).map(
    ([channel, effect]) => [
      channel,
      (event) => {
        if (!isObject(event) || !isObject(event["request"])) return;
        const tally = tallies.get(event["request"]);
        if (tally === undefined) return;
        effect(tally, event);
        if (last.has(channel)) tallies.delete(event["request"]);
      },
    ],
  );
  listeners.push(["undici:request:create", create]);
  for (const [channel, listener] of listeners) subscribe(channel, listener);

  return {
    dispatch(run, watch) {
      dispatching.watch = watch;
      try {
        return run();
      } finally {
        dispatching.watch = undefined;
      }
    },
    close() {
      for (const [channel, listener] of listeners) unsubscribe(channel, listener);
    },
  };
}

/** A dispatcher that counts its one request. */
export function metered(dispatcher: Dispatcher, meter: Meter, watch: Watch): Dispatcher {
  return dispatcher.compose(
    (dispatch) => (options, handler) => meter.dispatch(() => dispatch(options, handler), watch),
  );
}
