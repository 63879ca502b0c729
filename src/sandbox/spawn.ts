import { type ChildProcess, spawn } from "node:child_process";

import type { Child, Spawn, SpawnOptions } from "#core/process.ts";

type Output = (stream: "stdout" | "stderr", text: string) => void;

function listen(child: ChildProcess, listener: Output): void {
  for (const name of ["stdout", "stderr"] as const) {
    // A decoder on the stream keeps characters whole that were cut between two pieces.
    child[name]?.setEncoding("utf8").on("data", (text: string) => listener(name, text));
  }
}

function exitOf(child: ChildProcess): Child["exited"] {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: null, signal: null, error: error.message }));
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
}

/** What a child sent; undefined when it is no JSON. */
function parsed(message: unknown): unknown {
  if (typeof message !== "string") return message;
  try {
    return JSON.parse(message);
  } catch {
    return undefined;
  }
}

function start(options: SpawnOptions): ChildProcess {
  const channel = options.messages === true ? (["ipc"] as const) : [];
  return spawn(options.command, [...options.args], {
    env: { ...options.env },
    shell: false,
    stdio: ["ignore", "pipe", "pipe", ...channel],
    windowsHide: true,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
}

/** The one place that starts processes: no shell, nothing of this process's environment. Children still alive die with it. */
export function createSpawn(): Spawn {
  const living = new Set<ChildProcess>();
  const killAll = (): void => {
    for (const child of living) child.kill("SIGKILL");
  };
  return (options) => {
    const child = start(options);
    const exited = exitOf(child);
    // Nobody may be listening, and a full pipe would stop the child.
    child.stdout?.resume();
    child.stderr?.resume();
    // This process is listened to only while there is a child: whoever starts processes is made anew with each change of settings.
    if (living.size === 0) process.once("exit", killAll);
    living.add(child);
    void exited.then(() => {
      living.delete(child);
      if (living.size === 0) process.off("exit", killAll);
    });
    return {
      pid: child.pid ?? 0,
      exited,
      send(message) {
        // A child that died between the check and the write shows in `exited`, not here.
        if (child.connected) child.send(JSON.stringify(message), () => undefined);
      },
      onMessage: (listener) => void child.on("message", (message) => listener(parsed(message))),
      onOutput: (listener) => listen(child, listener),
      kill: (signal = "SIGTERM") => void child.kill(signal),
      unref() {
        child.unref();
        child.channel?.unref();
      },
    };
  };
}
