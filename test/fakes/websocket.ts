import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { constants, deflateRawSync } from "node:zlib";

import { onTestFinished } from "vitest";

import { portOf } from "./open-server.ts";

/** A message, text or binary. */
type Data = string | Buffer;

/** One client of a fake. */
export interface FakeClient {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly received: Data[];
  /** The code with which the client closed; undefined before. */
  readonly closedWith: () => number | undefined;
  send(data: Data): boolean;
  close(code: number): void;
}

/** A WebSocket server (RFC 6455) on loopback. */
export interface FakeWebSocketServer {
  readonly port: number;
  readonly clients: FakeClient[];
}

interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
  readonly size: number;
}

const [textFrame, binaryFrame, closeFrame] = [1, 2, 8];

/** The first whole frame of a client's, unmasked. */
function readFrame(data: Buffer): Frame | undefined {
  if (data.length < 2) return undefined;
  const short = data.readUInt8(1) & 0x7f;
  const at = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (data.length < at + 4) return undefined;
  const length =
    short === 126 ? data.readUInt16BE(2) : short === 127 ? Number(data.readBigUInt64BE(2)) : short;
  const size = at + 4 + length;
  if (data.length < size) return undefined;
  const mask = data.subarray(at, at + 4);
  const payload = Buffer.from(data.subarray(at + 4, size));
  for (let i = 0; i < payload.length; i += 1) payload[i] = (payload[i] ?? 0) ^ (mask[i % 4] ?? 0);
  return { opcode: data.readUInt8(0) & 0x0f, payload, size };
}

function makeFrame(first: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(payload.length < 126 ? 2 : payload.length < 65_536 ? 4 : 10);
  head.writeUInt8(first, 0);
  if (head.length === 2) head.writeUInt8(payload.length, 1);
  else if (head.length === 4) {
    head.writeUInt8(126, 1);
    head.writeUInt16BE(payload.length, 2);
  } else {
    head.writeUInt8(127, 1);
    head.writeBigUInt64BE(BigInt(payload.length), 2);
  }
  return Buffer.concat([head, payload]);
}

/** A message as it goes with permessage-deflate (RFC 7692, 7.2.1). */
function deflated(payload: Buffer): Buffer {
  const all = deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH });
  return all.subarray(0, -4);
}

function clientOf(request: IncomingMessage, socket: Socket, deflate: boolean): FakeClient {
  const received: Data[] = [];
  const state: { closed: number | undefined; data: Buffer } = {
    closed: undefined,
    data: Buffer.alloc(0),
  };
  const take = ({ opcode, payload }: Frame): void => {
    if (opcode === textFrame) received.push(payload.toString());
    else if (opcode === binaryFrame) received.push(payload);
    else if (opcode === closeFrame) {
      state.closed = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
      socket.end(makeFrame(0x80 | closeFrame, payload));
    }
  };
  socket.on("data", (chunk) => {
    state.data = Buffer.concat([state.data, chunk]);
    for (let frame = readFrame(state.data); frame; frame = readFrame(state.data)) {
      state.data = state.data.subarray(frame.size);
      take(frame);
    }
  });
  return {
    request,
    socket,
    received,
    closedWith: () => state.closed,
    send(data) {
      const payload = Buffer.from(data);
      const opcode = typeof data === "string" ? textFrame : binaryFrame;
      return socket.write(
        deflate ? makeFrame(0xc0 | opcode, deflated(payload)) : makeFrame(0x80 | opcode, payload),
      );
    },
    close(code) {
      const payload = Buffer.alloc(2);
      payload.writeUInt16BE(code);
      socket.write(makeFrame(0x80 | closeFrame, payload));
    },
  };
}

function acceptOf(request: IncomingMessage): string {
  const key = `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  return createHash("sha1").update(key).digest("base64");
}

/** Starts a WebSocket server that is closed after the test; with `deflate` it accepts that its messages are compressed. */
export async function startWebSocketServer({
  deflate = false,
  refusal,
}: { readonly deflate?: boolean; readonly refusal?: string } = {}): Promise<FakeWebSocketServer> {
  const clients: FakeClient[] = [];
  const server = createServer();
  server.on("upgrade", (request: IncomingMessage, socket: Socket) => {
    socket.on("error", () => socket.destroy());
    onTestFinished(() => void socket.destroy());
    if (refusal !== undefined) {
      socket.end(`HTTP/1.1 ${refusal}\r\ncontent-length: 7\r\n\r\nrefused`);
      return;
    }
    const extension = deflate
      ? "\r\nSec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover"
      : "";
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptOf(request)}${extension}\r\n\r\n`,
    );
    clients.push(clientOf(request, socket, deflate));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: portOf(server), clients };
}
