import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, test } from "vitest";

import { systemClock } from "../../src/core/clock.ts";
import { networkDisk } from "../../src/store/network-disk.ts";
import { openStore } from "../../src/store/open-store.ts";
import { emptyFolder } from "../fakes/folder.ts";

describe("a network disk", () => {
  test.each([
    [0x6969, "NFS"],
    [0x517b, "SMB"],
    [0xff534d42, "CIFS"],
    [0xfe534d42, "SMB"],
    [0xfe534d42 | 0, "SMB"],
    [0x00c36400, "Ceph"],
    [0x5346414f, "AFS"],
    [0x6b414653, "AFS"],
    [0x01021997, "9p"],
  ])("%i is %s", (type, kind) => {
    expect(networkDisk(type)).toBe(kind);
  });

  test.each([
    ["ext4", 0xef53],
    ["btrfs", 0x9123683e],
    ["xfs", 0x58465342],
    ["zfs", 0x2fc12fc1],
    ["overlay", 0x794c7630],
    ["tmpfs", 0x01021994],
    ["fuse, which may be a disk of this machine", 0x65735546],
    ["what has no number", 0],
  ])("%s is none", (_, type) => {
    expect(networkDisk(type)).toBeUndefined();
  });

  test("holds no database: the store names it, and leaves nothing behind", async () => {
    const folder = await emptyFolder("store");
    const opened = openStore({ folder, clock: systemClock, diskType: () => 0x6969 });
    await expect(opened).rejects.toMatchObject({
      code: "store.network-disk",
      exit: 3,
      message:
        `The database cannot lie on a network disk (${folder} is on NFS): ` +
        "choose a home on a disk of this machine with --home or AGENT_HOME.",
    });
    await expect(readFile(path.join(folder, "agent.db"))).rejects.toThrow("ENOENT");
  });
});

const asRoot = process.getuid?.() === 0;
const opener = `
  const { openStore } = await import(${JSON.stringify(path.join(import.meta.dirname, "../../src/store/open-store.ts"))});
  const folder = process.argv[1];
  await openStore({ folder, clock: { now: Date.now } }).then((store) => store.close(), (error) => console.log(error.message));
`;

/** What the store says to somebody who is not root. */
function saidTo(uid: number, folder: string): string {
  const args = ["--input-type=module", "--eval", opener, folder];
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    uid,
    gid: uid,
    encoding: "utf8",
    cwd: "/",
  });
  return stdout + stderr;
}

/** What the service says, and how it ends, when this user starts it. */
function serve(uid: number, home: string): { readonly code: number | null; readonly said: string } {
  const args = [path.join(import.meta.dirname, "../../agent.js"), "--home", home, "serve"];
  const how = { uid, gid: uid, encoding: "utf8", cwd: "/", timeout: 10_000 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, how);
  return { code: status, said: stdout + stderr };
}

/** A home whose data directory is owned like this. */
async function homeOf(uid: number, mode: number): Promise<string> {
  const home = path.join(await emptyFolder("home"), "home");
  chmodSync(path.dirname(home), 0o755);
  mkdirSync(home, { mode });
  chownSync(home, uid, uid);
  return home;
}

describe.skipIf(!asRoot)(
  "a home that cannot be written is told of with the command that mends it",
  () => {
    test("another's folder: whose it is, who runs, and a chown that works", async () => {
      const home = await homeOf(33, 0o755);
      const folder = path.join(home, "workspace/state");
      const fix = `sudo chown -R 12345:12345 ${home}`;
      expect(saidTo(12_345, folder)).toBe(
        `${folder} cannot be written (${home} belongs to 33:33 with mode 0755, and this program runs as 12345:12345): ` +
          `run ${fix}, or choose another home with --home.\n`,
      );
      spawnSync("chown", fix.split(" ").slice(2));
      expect(saidTo(12_345, folder)).toBe("");
    });

    test("a whole home of another's is mended by one command", async () => {
      const home = await homeOf(33, 0o755);
      const folder = path.join(home, "workspace/state");
      expect(saidTo(0, folder)).toBe("");
      expect(saidTo(12_345, folder)).toContain(`run sudo chown -R 12345:12345 ${home}, or`);
    });

    test.each(["agent.db", "lock.db"])("%s, when root left it behind", async (name) => {
      const home = await homeOf(12_345, 0o755);
      const folder = path.join(home, "workspace/state");
      expect(saidTo(12_345, folder)).toBe("");
      const file = path.join(folder, name);
      chownSync(file, 0, 0);
      const said = saidTo(12_345, folder);
      expect(said).toContain(`(${file} belongs to 0:0 with mode 0644, and this program runs as`);
      expect(said).toContain(`run sudo chown -R 12345:12345 ${file}, or`);
    });

    test("one's own folder that is closed", async () => {
      const home = await homeOf(12_345, 0o555);
      expect(saidTo(12_345, path.join(home, "workspace/state"))).toContain(
        `(${home} has mode 0555): run chmod -R u+rwX ${home}, or`,
      );
    });

    test("a home that cannot be made where it is wanted is made, and nothing above it given away", async () => {
      const above = await homeOf(0, 0o755);
      const home = path.join(above, "mine");
      expect(saidTo(12_345, path.join(home, "workspace/state"))).toContain(
        `run sudo install -d -o 12345 -g 12345 ${home}, or`,
      );
    });

    test("a file of one's own in the way", async () => {
      const home = await homeOf(12_345, 0o755);
      const file = path.join(home, "workspace");
      writeFileSync(file, "");
      expect(saidTo(12_345, path.join(file, "state"))).toContain(
        `(${file} is not a folder): move it away, or`,
      );
    });

    test("a service ends with that line, and does not serve without its data", async () => {
      const served = serve(12_345, await homeOf(33, 0o755));
      expect(served.code).toBe(3);
      expect(served.said).toMatch(/^.* cannot be written \(.* belongs to 33:33 .*\n$/);
    });

    test("a service whose data another used before says the same, not that somebody else serves", async () => {
      const home = await homeOf(33, 0o755);
      expect(saidTo(33, path.join(home, "workspace/state"))).toBe("");
      const { code, said } = serve(12_345, home);
      expect([code, said]).toEqual([
        3,
        expect.stringContaining(`sudo chown -R 12345:12345 ${home}, or`),
      ]);
    });

    test("a home that is closed is told of before its settings cannot be read", async () => {
      const home = await homeOf(33, 0o700);
      expect(serve(12_345, home).said).toContain(`(${home} belongs to 33:33 with mode 0700, and`);
    });
  },
);
