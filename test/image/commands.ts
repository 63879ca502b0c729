import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import path from "node:path";

/** What a command came to. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Milliseconds; ten minutes where nothing is given. */
  readonly timeout?: number;
}

/** Runs a command to its end. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Ran {
  const ended = spawnSync(command, args, {
    encoding: "utf8",
    maxBuffer: 1e8,
    timeout: 600_000,
    stdio: ["ignore", "pipe", "pipe"],
    ...options,
  });
  const { status: code, stdout, stderr, error } = ended;
  return { code, stdout, stderr: error === undefined ? stderr : `${stderr}${error.message}\n` };
}

/** What a command printed; throws with its last words when it failed. */
export function must(command: string, args: readonly string[], options: RunOptions = {}): string {
  const { code, stdout, stderr } = run(command, args, options);
  if (code === 0) return stdout.trim();
  const last = `${stdout}\n${stderr}`.trim().split("\n").slice(-15).join("\n");
  throw new Error(`${command} ${args.join(" ")} ended with ${code}:\n${last}`);
}

function isThere(tool: string): boolean {
  return (process.env["PATH"] ?? "").split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The Debian package that brings each tool. */
const packages: Readonly<Record<string, string>> = {
  buildah: "buildah",
  debootstrap: "debootstrap",
  bwrap: "bubblewrap",
  nsenter: "util-linux",
  readelf: "binutils",
  "qemu-aarch64-static": "qemu-user-static",
};

/** What keeps the check from running on this machine, in words; undefined when nothing does. */
export function obstacle(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return "it runs on x64 Linux alone";
  const missing = Object.keys(packages).filter((tool) => !isThere(tool));
  if (missing.length > 0) {
    const names = missing.map((tool) => packages[tool]).join(" ");
    const are = missing.length === 1 ? "is" : "are";
    return `${missing.join(", ")} ${are} not installed (apt-get install ${names})`;
  }
  return process.getuid?.() === 0 ? undefined : "it must run as root";
}
