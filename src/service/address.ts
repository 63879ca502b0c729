import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** The longest path that every system takes for a Unix socket (macOS: 104 bytes with the final zero). */
const longest = 103;

const fileName = "control.sock";

/** Where a process listens. */
export interface Address {
  /** What to listen on, or to connect to. */
  readonly path: string;
  /** Takes away what was made for the address; to be called once it has been used. */
  release(): void;
}

/** The socket's file in a data directory; undefined where the system has none. */
export function socketFile(folder: string): string | undefined {
  return process.platform === "win32" ? undefined : path.join(folder, fileName);
}

/** A short way to a folder whose own path is too long for a socket. */
function shortcut(folder: string): Address {
  const link = mkdtempSync(path.join(tmpdir(), "agent-"));
  symlinkSync(folder, path.join(link, "s"));
  return {
    path: path.join(link, "s", fileName),
    release: () => rmSync(link, { recursive: true, force: true }),
  };
}

/**
 * The address of a data directory's control socket: a Unix socket in it, or on Windows a named pipe whose name is derived from it.
 */
export function controlAddress(folder: string): Address {
  const release = (): void => {};
  const file = socketFile(folder);
  if (file === undefined) {
    const name = createHash("sha256").update(folder.toLowerCase()).digest("hex").slice(0, 32);
    return { path: `\\\\.\\pipe\\personal-ai-agent-${name}`, release };
  }
  return Buffer.byteLength(file) <= longest ? { path: file, release } : shortcut(folder);
}
