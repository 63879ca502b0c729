import { createHash } from "node:crypto";
import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, test } from "vitest";

import { openFileStore } from "../../src/store/file-store.ts";
import { emptyFolder } from "../fakes/folder.ts";

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** A stream of these pieces; an error breaks it. */
function streamOf(...pieces: readonly (string | Error)[]) {
  const state = { cancelled: false, given: 0 };
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const piece = pieces[state.given];
        state.given += 1;
        if (piece === undefined) controller.close();
        else if (piece instanceof Error) controller.error(piece);
        else controller.enqueue(new TextEncoder().encode(piece));
      },
      cancel: () => void (state.cancelled = true),
    },
    { highWaterMark: 0 },
  );
  return { body, state };
}

async function filesIn(folder: string): Promise<string[]> {
  const all = await readdir(folder, { recursive: true, withFileTypes: true });
  return all.filter((entry) => entry.isFile()).map(({ name }) => name);
}

async function setUp() {
  const folder = path.join(await emptyFolder("files"), "files");
  return { folder, files: await openFileStore(folder) };
}

describe("files by the hash of their content", () => {
  test("are stored as they come, for their owner alone, and read back", async () => {
    const { folder, files } = await setUp();
    const sha256 = hashOf("a heron");
    expect(await files.put(streamOf("a ", "heron").body, 100)).toEqual({ sha256, size: 7 });
    expect(Buffer.from(await files.read(sha256)).toString()).toBe("a heron");
    const place = path.join(folder, sha256.slice(0, 2), sha256);
    expect((await stat(place)).mode & 0o777).toBe(0o600);
    expect((await stat(path.dirname(place))).mode & 0o777).toBe(0o700);
    expect(await filesIn(folder)).toEqual([sha256]);
  });

  test("are there once, however often they come, also at the same time", async () => {
    const { folder, files } = await setUp();
    const put = () => files.put(streamOf("same").body, 100);
    const stored = await Promise.all([put(), put(), put()]);
    expect(new Set(stored.map(({ sha256 }) => sha256)).size).toBe(1);
    expect(await filesIn(folder)).toEqual([hashOf("same")]);
  });

  test("may be empty, and as large as allowed, and no byte larger", async () => {
    const { folder, files } = await setUp();
    expect(await files.put(streamOf().body, 4)).toEqual({ sha256: hashOf(""), size: 0 });
    expect(await files.put(streamOf("12", "34").body, 4)).toMatchObject({ size: 4 });
    const { body, state } = streamOf("12", "34", "5", "6", "7");
    await expect(files.put(body, 4)).rejects.toMatchObject({ code: "chat.file-too-large" });
    expect(state).toEqual({ cancelled: true, given: 3 });
    expect(await filesIn(folder)).toHaveLength(2);
  });

  test("leave nothing behind when their stream breaks", async () => {
    const { folder, files } = await setUp();
    const broken = new Error("the connection broke");
    await expect(files.put(streamOf("half", broken).body, 100)).rejects.toBe(broken);
    expect(await filesIn(folder)).toEqual([]);
  });

  test("that a crash left unfinished are gone after the next start, the others are not", async () => {
    const { folder, files } = await setUp();
    const { sha256 } = await files.put(streamOf("whole").body, 100);
    await writeFile(path.join(folder, "unfinished", "left"), "half");
    const again = await openFileStore(folder);
    expect(await filesIn(folder)).toEqual([sha256]);
    expect(Buffer.from(await again.read(sha256)).toString()).toBe("whole");
  });

  test.each([hashOf("never stored"), "../../agent.db", "", "A".repeat(64)])(
    "are missing where there is none: %j",
    async (sha256) => {
      const { files } = await setUp();
      await expect(files.read(sha256)).rejects.toMatchObject({ code: "chat.file-missing" });
    },
  );

  test("cannot be kept in a folder that cannot be written, and the stream is ended", async () => {
    const { folder, files } = await setUp();
    const { body, state } = streamOf("x");
    await rm(path.join(folder, "unfinished"), { recursive: true });
    await writeFile(path.join(folder, "unfinished"), "a file in the place of the folder");
    await expect(files.put(body, 100)).rejects.toMatchObject({ code: "store.read-only" });
    expect(state.cancelled).toBe(true);
    const taken = path.join(await emptyFolder("files"), "files");
    await mkdir(path.dirname(taken), { recursive: true });
    await writeFile(taken, "a file in the place of the folder");
    await expect(openFileStore(taken)).rejects.toMatchObject({ code: "store.read-only" });
  });
});
