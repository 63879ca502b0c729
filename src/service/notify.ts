import type { Environment, Spawn } from "#core/process.ts";

/** Tells systemd of the service's state (sd_notify, systemd 252), by its own tool, since Node has no datagram socket of that kind. */
export interface Notifier {
  /** For example READY=1; does nothing where systemd does not listen. Never rejects. */
  readonly notify: (state: string) => Promise<void>;
  /** Milliseconds within which a sign of life is wanted; undefined where none is. */
  readonly watchdogMs: number | undefined;
}

/** A notifier by the environment that systemd gives its services. */
export function createNotifier(environment: Environment, spawn: () => Promise<Spawn>): Notifier {
  const { NOTIFY_SOCKET: socket = "", WATCHDOG_USEC: interval = "", PATH: path = "" } = environment;
  const microseconds = Number(interval);
  return {
    watchdogMs: socket !== "" && microseconds > 0 ? microseconds / 1000 : undefined,
    async notify(state) {
      if (socket === "") return;
      const start = await spawn();
      const env = { NOTIFY_SOCKET: socket, PATH: path };
      await start({ command: "systemd-notify", args: [`--pid=${process.pid}`, state], env }).exited;
    },
  };
}
