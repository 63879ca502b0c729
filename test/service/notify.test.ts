import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { createSpawn } from "../../src/sandbox/spawn.ts";
import { createNotifier } from "../../src/service/notify.ts";
import { emptyFolder } from "../fakes/folder.ts";

const has = (command: string): boolean => spawnSync(command, ["--version"]).status === 0;
const missing = ["systemd-notify", "python3"].filter((command) => !has(command));

/** A datagram socket as systemd listens on, by Python, since Node has none; gives what arrives. */
async function listen(socket: string): Promise<{ next(): Promise<string> }> {
  const program = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("listening", flush=True)
while True: print(s.recv(4096).decode().replace("\\n", " "), flush=True)
`;
  const child = spawn("python3", ["-c", program, socket], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  child.stdout.setEncoding("utf8");
  await once(child.stdout, "data");
  return { next: async () => String((await once(child.stdout, "data"))[0]) };
}

describe("telling systemd", () => {
  test.skipIf(missing.length > 0)(
    `a state arrives at its socket (needs systemd-notify and python3; missing: ${missing.join(", ") || "none"})`,
    async () => {
      const socket = path.join(await emptyFolder("notify"), "notify.sock");
      const systemd = await listen(socket);
      const environment = {
        NOTIFY_SOCKET: socket,
        WATCHDOG_USEC: "30000000",
        PATH: process.env["PATH"],
      };
      const notifier = createNotifier(environment, () => Promise.resolve(createSpawn()));
      expect(notifier.watchdogMs).toBe(30_000);
      const arrived = systemd.next();
      await notifier.notify("READY=1");
      expect(await arrived).toContain("READY=1");
    },
  );

  test("nothing is started where systemd does not listen, and no watchdog is wanted", async () => {
    const none = (): never => {
      throw new Error("nothing is to be started");
    };
    const notifier = createNotifier({ WATCHDOG_USEC: "30000000" }, none);
    await notifier.notify("READY=1");
    expect(notifier.watchdogMs).toBeUndefined();
  });

  test("a tool that is not there is no failure", async () => {
    const environment = { NOTIFY_SOCKET: "/nowhere", PATH: "/nowhere" };
    const notifier = createNotifier(environment, () => Promise.resolve(createSpawn()));
    await expect(notifier.notify("READY=1")).resolves.toBeUndefined();
  });
});
