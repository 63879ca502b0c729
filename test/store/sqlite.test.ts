import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setImmediate } from "node:timers/promises";

import Database from "better-sqlite3";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";

import { systemClock } from "../../src/core/clock.ts";
import { openStore } from "../../src/store/open-store.ts";
import { storeFailure } from "../../src/store/failures.ts";
import { createWriter } from "../../src/store/writer.ts";
import { chatStoreContract } from "../contract/chat-store.ts";
import { peopleStoreContract } from "../contract/people-store.ts";
import { endOf, request, storeContract } from "../contract/store.ts";
import { createFakeClock } from "../fakes/clock.ts";
import { emptyFolder } from "../fakes/folder.ts";

async function open(folder: string) {
  const store = await openStore({ folder, clock: systemClock });
  onTestFinished(() => store.close());
  return store;
}

const chat = { id: "terminal:main", platform: "terminal", personId: "owner" };

storeContract("SQLite", async () => open(await emptyFolder("store")));
chatStoreContract("SQLite", async () => open(await emptyFolder("store")));
peopleStoreContract("SQLite", async (clock) => {
  const store = await openStore({ folder: await emptyFolder("store"), clock });
  onTestFinished(() => store.close());
  return store;
});

test("questions of a removed person are closed, and the buttons of the direct chat are gone", async () => {
  const folder = await emptyFolder("store");
  const store = await open(folder);
  const bob = { platform: "telegram", accountId: "88", name: "Bob" };
  const head = { purpose: "invite", personId: null, account: null, name: "Bob" } as const;
  const rest = { salt: "00", hash: "11", expiresAt: Number.MAX_SAFE_INTEGER, triesLeft: 5 };
  await store.addCode({ ...head, ...rest });
  const person = await store.useCode(1, bob);
  const direct = { platform: "telegram", address: "88", kind: "direct" } as const;
  const { id: chatId } = await store.chatAt(direct, person?.id ?? "");
  const task = await store.createTask({ ...request, chatId, personId: person?.id ?? "" });
  const raw = new Database(path.join(folder, "agent.db"));
  onTestFinished(() => void raw.close());
  raw
    .prepare("INSERT INTO questions VALUES ('q', ?, 'c', ?, ?, 'Which?', '[]', 'open', NULL, 1)")
    .run(task.id, chatId, person?.id);
  raw.prepare("INSERT INTO buttons VALUES ('h', ?, NULL, '{}', 1)").run(chatId);
  await store.removeAccount(bob);
  expect(raw.prepare("SELECT state FROM questions").all()).toEqual([{ state: "closed" }]);
  expect(raw.prepare("SELECT * FROM buttons").all()).toEqual([]);
});

test("every connection is WAL, flushes each commit and keeps no temporary file, also after a reopen", async () => {
  const folder = await emptyFolder("store");
  const first = await open(folder);
  await first.ensureChat(chat);
  const written = first.settings();
  await first.close();
  const second = await open(folder);
  expect([written, second.settings()]).toEqual([
    { journal: "wal", synchronous: 2, temporary: 2 },
    { journal: "wal", synchronous: 2, temporary: 2 },
  ]);
});

test("writes of one turn of the event loop share a commit, and a reopen has them all", async () => {
  const folder = await emptyFolder("store");
  const store = await open(folder);
  await store.ensureChat(chat);
  const before = store.commits();
  await Promise.all(Array.from({ length: 20 }, () => store.createTask(request)));
  expect(store.commits() - before).toBe(1);
  await store.close();
  expect(await (await open(folder)).openTasks()).toHaveLength(20);
});

test("a write that fails takes nothing else of its commit with it", async () => {
  const store = await open(await emptyFolder("store"));
  await store.ensureChat(chat);
  const results = await Promise.allSettled([
    store.createTask(request),
    store.createTask({ ...request, chatId: "no such chat" }),
    store.createTask(request),
  ]);
  expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(await store.openTasks()).toHaveLength(2);
});

test("a write after the close is refused, one before it is kept", async () => {
  const folder = await emptyFolder("store");
  const store = await open(folder);
  const kept = store.ensureChat(chat);
  await store.close();
  await kept;
  await expect(store.createTask(request)).rejects.toThrow("The store is closed already.");
});

test("a newer schema refuses to open and is left alone", async () => {
  const folder = await emptyFolder("store");
  await (await open(folder)).close();
  const raw = new Database(path.join(folder, "agent.db"));
  raw.pragma("user_version = 99");
  raw.close();
  const before = readFileSync(path.join(folder, "agent.db"));
  await expect(open(folder)).rejects.toThrow(/is of version 99 and this program knows \d+/);
  expect(readFileSync(path.join(folder, "agent.db")).equals(before)).toBe(true);
});

test("a second process is told who holds the data, and a killed holder frees it", async () => {
  const folder = await emptyFolder("store");
  const child = spawn(process.execPath, [path.join(import.meta.dirname, "holder.ts"), folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  await expect(open(folder)).rejects.toThrow(
    `Another agent (process ${child.pid}) is using ${folder}`,
  );
  child.kill("SIGKILL");
  await once(child, "exit");
  expect((await (await open(folder)).stats(0)).tasks.done).toBe(0);
});

test("a damaged database is one sentence", async () => {
  const folder = await emptyFolder("store");
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "agent.db"), "this is no database ".repeat(500));
  await expect(open(folder)).rejects.toThrow(/The database in .* is damaged/);
});

test("a data directory that cannot be made is one sentence with the fix", async () => {
  const folder = await emptyFolder("store");
  const file = path.join(folder, "a-file");
  writeFileSync(file, "");
  await expect(open(path.join(file, "state"))).rejects.toThrow(
    `cannot be written (${file} is not a folder): move it away, or choose another home with --home.`,
  );
});

test("a full disk fails what was written, says so, and keeps what was there", async () => {
  const database = new Database(":memory:");
  database.exec("CREATE TABLE t (x TEXT)");
  database.pragma("max_page_count = 20");
  const explain = (error: unknown): unknown => storeFailure(error, "/data");
  const writer = createWriter(database, { explain, clock: systemClock });
  const insert = database.prepare("INSERT INTO t VALUES (?)");
  await writer.write(() => insert.run("kept"));
  const [big, beside] = await Promise.allSettled([
    writer.write(() => insert.run("x".repeat(200_000))),
    writer.write(() => insert.run("small")),
  ]);
  expect(big).toMatchObject({ status: "rejected", reason: { code: "store.full" } });
  const stored = database.prepare("SELECT count(*) AS rows FROM t WHERE length(x) < 10").get();
  expect(stored).toEqual({ rows: beside?.status === "fulfilled" ? 2 : 1 });
});

test("a write in no hurry waits its whole time for another to share its commit", async () => {
  const clock = createFakeClock();
  const writer = createWriter(new Database(":memory:"), {
    explain: (error) => error,
    clock,
  });
  const done: string[] = [];
  const later = (name: string) => writer.later(() => name).then((said) => done.push(said));
  const first = later("first");
  await writer.write(() => undefined);
  await first;
  clock.pass(19);
  const second = later("second");
  clock.pass(1);
  await setImmediate();
  expect([done, writer.commits()]).toEqual([["first"], 1]);
  await writer.write(() => undefined);
  await second;
  const third = later("third");
  clock.pass(20);
  await third;
  expect([done, writer.commits()]).toEqual([["first", "second", "third"], 3]);
});

const strace = spawnSync("strace", ["-V"]).status === 0;

test.skipIf(!strace)("the WAL is flushed before a write's promise resolves (strace)", async () => {
  const folder = await emptyFolder("store");
  const log = path.join(folder, "strace.log");
  const holder = path.join(import.meta.dirname, "holder.ts");
  const traced = ["-f", "-y", "-s", "64", "-e", "trace=fdatasync,fsync,write,openat", "-o", log];
  const child = spawn("strace", [...traced, process.execPath, holder, path.join(folder, "state")], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  await once(child.stdout, "data");
  if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  await once(child, "exit");
  const lines = execFileSync("grep", ["-nE", "(fdatasync|fsync)\\(.*agent.db-wal|committed", log], {
    encoding: "utf8",
  }).split("\n");
  const said = lines.findIndex((line) => line.includes("committed"));
  expect(said).toBeGreaterThan(0);
  expect(lines[said - 1]).toMatch(/(fdatasync|fsync)\(.*agent\.db-wal/);
});

test("no search text is an error", async () => {
  const store = await open(await emptyFolder("store"));
  await store.ensureChat(chat);
  const task = await store.createTask(request);
  await store.finishTask(endOf(task));
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary" }), async (search) => {
      expect(await store.tasks({ limit: 1, search })).toBeInstanceOf(Array);
    }),
    { numRuns: 300 },
  );
});
