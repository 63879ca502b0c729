import { subscribe, unsubscribe } from "node:diagnostics_channel";

import type { Dispatcher } from "undici";
import { z } from "zod";

/** What one request has moved so far, in bytes before TLS. */
export interface Count {
  headBytesOut: number;
  bodyBytesOut: number;
  bytesIn: number;
  status: number | null;
}

/** What follows one request. */
export interface Watch {
  readonly count: Count;
  /** Called once, when nothing more will be counted. */
  readonly ended: () => void;
}

/** Counts what undici sends and receives, per request. */
export interface Meter {
  /** Dispatches so that `watch` follows this request. */
  dispatch(run: () => boolean, watch: Watch): boolean;
  close(): void;
}

const requestSchema = z.object({ request: z.custom<object>((value) => value instanceof Object) });
const headSchema = requestSchema.extend({ headers: z.string() });
const chunkSchema = requestSchema.extend({
  chunk: z.union([z.string(), z.instanceof(Uint8Array)]),
});
const statusSchema = requestSchema.extend({ response: z.object({ statusCode: z.number() }) });

function sizeOf(chunk: string | Uint8Array): number {
  return typeof chunk === "string" ? Buffer.byteLength(chunk) : chunk.byteLength;
}

/** A body of unknown length goes in chunks, each with its length before it and a line's end behind it. */
function isChunked(request: object): boolean {
  return "contentLength" in request && request.contentLength === null;
}

type Listeners = Readonly<Record<string, (event: unknown) => void>>;

function createListeners(
  watches: WeakMap<object, Watch>,
  dispatching: { readonly watch: Watch | undefined },
): Listeners {
  const countOf = (request: object): Count | undefined => watches.get(request)?.count;
  const end = (event: unknown): void => {
    const { request } = requestSchema.parse(event);
    watches.get(request)?.ended();
    watches.delete(request);
  };
  return {
    "undici:request:create": (event) => {
      const { watch } = dispatching;
      if (watch !== undefined) watches.set(requestSchema.parse(event).request, watch);
    },
    "undici:client:sendHeaders": (event) => {
      const { request, headers } = headSchema.parse(event);
      const count = countOf(request);
      if (count !== undefined) count.headBytesOut += Buffer.byteLength(headers) + 2;
    },
    // The event above leaves out the blank line, and how long a body is, which undici adds as it writes it.
    "undici:request:bodySent": (event) => {
      const { request } = requestSchema.parse(event);
      const count = countOf(request);
      if (count === undefined || count.bodyBytesOut === 0) return;
      if (isChunked(request)) {
        count.headBytesOut += "transfer-encoding: chunked\r\n".length;
        count.bodyBytesOut += "0\r\n\r\n".length;
      } else count.headBytesOut += `content-length: ${count.bodyBytesOut}\r\n`.length;
    },
    "undici:request:bodyChunkSent": (event) => {
      const { request, chunk } = chunkSchema.parse(event);
      const count = countOf(request);
      if (count === undefined) return;
      const size = sizeOf(chunk);
      count.bodyBytesOut += size + (isChunked(request) ? `${size.toString(16)}\r\n\r\n`.length : 0);
    },
    "undici:request:headers": (event) => {
      const { request, response } = statusSchema.parse(event);
      const count = countOf(request);
      if (count !== undefined) count.status = response.statusCode;
    },
    "undici:request:bodyChunkReceived": (event) => {
      const { request, chunk } = chunkSchema.parse(event);
      const count = countOf(request);
      if (count !== undefined) count.bytesIn += sizeOf(chunk);
    },
    "undici:request:trailers": end,
    "undici:request:error": end,
  };
}

/** A meter on undici's diagnostics channels (undici, docs/api/DiagnosticsChannel.md), which name the request in each event. */
export function createMeter(): Meter {
  const watches = new WeakMap<object, Watch>();
  // undici makes its request object, and says so, while it is being dispatched.
  const dispatching: { watch: Watch | undefined } = { watch: undefined };

  const listeners = createListeners(watches, dispatching);
  for (const [channel, listener] of Object.entries(listeners)) subscribe(channel, listener);

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
      for (const [channel, listener] of Object.entries(listeners)) unsubscribe(channel, listener);
    },
  };
}

/** A dispatcher that counts its one request. */
export function metered(dispatcher: Dispatcher, meter: Meter, watch: Watch): Dispatcher {
  return dispatcher.compose(
    (dispatch) => (options, handler) => meter.dispatch(() => dispatch(options, handler), watch),
  );
}
