import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";

import { z } from "zod";

import type { Image } from "./build.ts";
import { type Ran, run } from "./commands.ts";

/** Where an image runs, as a hardened container engine would run it: its own volume, and folders that are only read. */
export interface Box {
  readonly image: Image;
  /** The folder that is mounted at /data. */
  readonly data: string;
  /** Where each folder of this machine is seen inside. */
  readonly readable?: Readonly<Record<string, string>>;
}

/** Becomes the user of the image for good: no capability is left, and none can come back. */
function become(user: string): string[] {
  const [uid = "", gid = ""] = user.split(":");
  const ids = ["--reuid", uid, "--regid", gid, "--clear-groups"];
  return ["setpriv", ...ids, "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"];
}

/** bubblewrap's words for a read-only root, one writable volume, a /tmp in memory, no network and these capabilities. */
function walls({ image, data, readable = {} }: Box, capabilities: readonly string[]): string[] {
  const environment = image.config.Env.flatMap((pair) => {
    const at = pair.indexOf("=");
    return ["--setenv", pair.slice(0, at), pair.slice(at + 1)];
  });
  return [
    ["--ro-bind", image.rootfs, "/", "--proc", "/proc", "--dev", "/dev"],
    ["--perms", "1777", "--tmpfs", "/tmp", "--bind", data, "/data"],
    Object.entries(readable).flatMap(([from, to]) => ["--ro-bind", from, to]),
    ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net"],
    ["--die-with-parent", "--as-pid-1", "--chdir", "/app", "--clearenv", ...environment],
    ["--cap-drop", "ALL", ...capabilities.flatMap((name) => ["--cap-add", name])],
  ].flat();
}

/** What setpriv needs to give everything up. */
const toBecome = ["CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"];

/** Runs a command to its end as the image's user; it is process 1. */
export function runIn(box: Box, command: readonly string[]): Ran {
  const user = become(box.image.config.User);
  return run("bwrap", [...walls(box, toBecome), ...user, ...command], { timeout: 120_000 });
}

/** Runs a command to its end as root with these capabilities alone. */
export function runAsRootIn(box: Box, capabilities: readonly string[], command: string[]): Ran {
  return run("bwrap", [...walls(box, capabilities), ...command]);
}

/** What the image's entry point is given these words for. */
export function agentIn(box: Box, ...words: string[]): Ran {
  return runIn(box, [...box.image.config.Entrypoint, ...words]);
}

/** A container that goes on until it is stopped. */
export interface Service {
  /** Runs a command in the same container, as an engine does for its health check. */
  exec(command: readonly string[]): Ran;
  /** Sends SIGTERM to process 1; resolves with its exit code. */
  stop(): Promise<number | null>;
  readonly child: ChildProcess;
  /** Everything it printed, when it has ended. */
  readonly output: Promise<string>;
}

/** Starts the image as it is meant to run. */
export async function startService(box: Box): Promise<Service> {
  const { Entrypoint, Cmd, User, Env } = box.image.config;
  const inside = [...become(User), ...Entrypoint, ...Cmd];
  const child = spawn("bwrap", ["--info-fd", "3", ...walls(box, toBecome), ...inside], {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const [, out, err, told] = child.stdio.map((pipe) =>
    pipe instanceof Readable ? pipe : undefined,
  );
  if (out === undefined || err === undefined || told === undefined) throw new Error("no pipes");
  const output = Promise.all([text(out), text(err)]).then((parts) => parts.join(""));
  const info = z.object({ "child-pid": z.int() }).parse(JSON.parse(await text(told)));
  const pid = info["child-pid"];
  const spaces = ["--target", String(pid), "--mount", "--pid", "--net", "--ipc", "--uts", "--root"];
  const beside = [...spaces, ...become(User), "env", "-i", "-C", "/app", ...Env];
  return {
    child,
    output,
    exec: (command) => run("nsenter", [...beside, ...command], { timeout: 10_000 }),
    async stop() {
      if (child.exitCode !== null) return child.exitCode;
      const ended = once(child, "close");
      process.kill(pid, "SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), 30_000);
      await ended;
      clearTimeout(late);
      return child.exitCode;
    },
  };
}
