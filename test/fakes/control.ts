import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import path from "node:path";

import { onTestFinished } from "vitest";

import { createDecoder, encodeFrame } from "../../src/service/frames.ts";

/** The data directory of a home, made. */
export async function stateOf(home: string): Promise<string> {
  const state = path.join(home, "workspace/state");
  await mkdir(state, { recursive: true });
  return state;
}

/** Listens on a data directory's control socket as another process would; gives each client and its frames to `answer`. */
export async function listenOn(
  state: string,
  answer: (socket: Socket, frame: unknown) => void,
  greet: (socket: Socket) => void = () => {},
): Promise<void> {
  const server = createServer((socket) => {
    const decoder = createDecoder();
    socket.on("error", () => socket.destroy());
    socket.on("data", (piece) => {
      for (const frame of decoder.push(piece)) answer(socket, frame);
    });
    greet(socket);
  }).listen(path.join(state, "control.sock"));
  await once(server, "listening");
  onTestFinished(() => void server.close());
}

/** Sends a value as a frame. */
export function send(socket: Socket, value: unknown): void {
  socket.write(encodeFrame(value));
}

/** A raw connection to a data directory's control socket, and how it ends. */
export async function dialRaw(state: string): Promise<{ socket: Socket; ended: Promise<unknown> }> {
  const socket = connect(path.join(state, "control.sock"));
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.resume();
  return { socket, ended: once(socket, "close") };
}
