import { createHash } from "node:crypto";
import type { Socket } from "node:net";

import { startSockets } from "./sockets.ts";

/** The answer to a handshake's key (RFC 6455, 4.2.2). */
function acceptOf(key: string): string {
  const joined = `${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  return createHash("sha1").update(joined).digest("base64");
}

interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
  readonly rest: Buffer;
}

/** The first whole frame of these bytes; what a client sends is masked (RFC 6455, 5.2). */
function frameIn(bytes: Buffer): Frame | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes.readUInt8(1) & 0x7f;
  const at = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (bytes.length < at + 4) return undefined;
  const length =
    short === 126
      ? bytes.readUInt16BE(2)
      : short === 127
        ? Number(bytes.readBigUInt64BE(2))
        : short;
  if (bytes.length < at + 4 + length) return undefined;
  const mask = bytes.subarray(at, at + 4);
  const masked = bytes.subarray(at + 4, at + 4 + length);
  const payload = Buffer.from(masked.map((byte, index) => byte ^ (mask[index % 4] ?? 0)));
  return { opcode: bytes.readUInt8(0) & 0x0f, payload, rest: bytes.subarray(at + 4 + length) };
}

function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head.writeUInt8(0x80 | opcode, 0);
  head.writeUInt8(length < 126 ? length : length < 65_536 ? 126 : 127, 1);
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

/** What a server has seen. */
export interface SeenSockets {
  readonly port: number;
  /** The heads of the requests, as they came. */
  readonly heads: string[];
  /** All bytes that came and went. */
  readonly bytes: { in: number; out: number };
}

/** A WebSocket server on loopback that echoes every message, and closes when it hears "bye". */
export async function startEcho({ tls = false } = {}): Promise<SeenSockets> {
  const heads: string[] = [];
  const bytes = { in: 0, out: 0 };

  function serve(socket: Socket): void {
    let left: Buffer = Buffer.alloc(0);
    let isOpen = false;
    const send = (data: Buffer): void => {
      bytes.out += data.length;
      socket.write(data);
    };

    function shake(): void {
      const end = left.indexOf("\r\n\r\n");
      if (end === -1) return;
      const head = left.toString("latin1", 0, end);
      heads.push(head);
      left = left.subarray(end + 4);
      isOpen = true;
      const key = /sec-websocket-key: (.*)/i.exec(head)?.[1]?.trim() ?? "";
      const lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
      ];
      lines.push(`Sec-WebSocket-Accept: ${acceptOf(key)}`);
      send(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`));
    }

    function echo(): void {
      for (let found = frameIn(left); found !== undefined; found = frameIn(left)) {
        left = found.rest;
        const isBye = found.opcode === 8 || found.payload.toString() === "bye";
        send(frame(isBye ? 8 : found.opcode, isBye ? Buffer.from([3, 232]) : found.payload));
        if (isBye) socket.end();
      }
    }

    socket.on("data", (data: Buffer) => {
      bytes.in += data.length;
      left = Buffer.concat([left, data]);
      if (!isOpen) shake();
      if (isOpen) echo();
    });
  }

  return { port: await startSockets(serve, { tls }), heads, bytes };
}
