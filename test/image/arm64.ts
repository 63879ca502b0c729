import type { Box } from "./box.ts";
import { type Ran, run } from "./commands.ts";

/** Linked statically, so that it needs nothing of the file system it runs in. */
const emulator = "/usr/bin/qemu-aarch64-static";

const opener = `
  const Database = require("/app/node_modules/better-sqlite3");
  const database = new Database("/data/arm64.db");
  database.exec("CREATE TABLE t (x)");
  database.prepare("INSERT INTO t VALUES (?)").run(process.arch);
  console.log(database.prepare("SELECT x FROM t").pluck().get());
`;

/** Runs the image's program with an arm64 Node and Debian's arm64 libraries, under emulation. */
function runArm64(rootfs: string, { image, data, readable = {} }: Box, args: string[]): Ran {
  const walls = [
    ["--ro-bind", rootfs, "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"],
    ["--ro-bind", `${image.rootfs}/app`, "/app", "--bind", data, "/data"],
    Object.entries(readable).flatMap(([from, to]) => ["--ro-bind", from, to]),
    // An interpreter of its own file system, since nothing of this machine's is in sight.
    ["--ro-bind", emulator, "/qemu"],
    ["--unshare-pid", "--unshare-net", "--die-with-parent", "--clearenv"],
    // The launcher would start itself again by Node's own path, which only the emulator can run.
    ["--setenv", "AGENT_HOME", "/data", "--setenv", "AGENT_LAUNCHED", "1"],
  ].flat();
  return run("bwrap", [...walls, "/qemu", "/usr/local/bin/node", ...args]);
}

/** Opens a database with the arm64 addon; prints the architecture that stored itself in it. */
export function openDatabaseOnArm64(rootfs: string, box: Box): Ran {
  return runArm64(rootfs, box, ["--eval", opener]);
}

/** Asks the whole program on arm64. */
export function agentOnArm64(rootfs: string, box: Box, ...words: string[]): Ran {
  return runArm64(rootfs, box, ["/app/agent.js", ...words]);
}
