import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, test } from "vitest";

import { createRedactor } from "../src/core/redact.ts";
import { createSecret } from "../src/core/secret.ts";
import { createLog } from "../src/log.ts";
import { createFakeClock } from "./fakes/clock.ts";
import { emptyFolder } from "./fakes/folder.ts";

const dayMs = 86_400_000;

async function setUp(own: { fileBytes?: number; folder?: string } = {}) {
  const folder = own.folder ?? path.join(await emptyFolder("log"), "logs");
  const clock = createFakeClock(Date.UTC(2026, 10, 24, 12));
  const redactor = createRedactor();
  redactor.add(createSecret("A_KEY", "sk-very-secret"));
  const problems: string[] = [];
  const log = createLog({
    folder,
    clock,
    redactor,
    keepDays: 2,
    fileBytes: own.fileBytes ?? 1_000_000,
    onProblem: (problem) => problems.push(problem),
  });
  const text = async (): Promise<string> => {
    const names = (await readdir(folder)).toSorted();
    return (await Promise.all(names.map((name) => readFile(path.join(folder, name), "utf8")))).join(
      "",
    );
  };
  return { folder, clock, log, problems, text };
}

describe("the log", () => {
  test("writes lines of JSON with the task's id in each", async () => {
    const { log, text } = await setUp();
    log.info("task started", { task: "01ABC", agent: "code" });
    log.close();
    expect(JSON.parse(await text())).toEqual({
      level: "info",
      time: "2026-11-24T12:00:00.000Z",
      pid: process.pid,
      task: "01ABC",
      agent: "code",
      msg: "task started",
    });
  });

  test("holds no secret, wherever in a line it came from", async () => {
    const { log, text } = await setUp();
    const error = new Error("refused sk-very-secret", { cause: new Error("cause sk-very-secret") });
    Object.assign(error, { deep: { deeper: [{ header: "Bearer sk-very-secret" }] } });
    log.info("said sk-very-secret", { "sk-very-secret": "x", value: "sk-very-secret" });
    log.bug(error, { task: "sk-very-secret" });
    log.close();
    expect(await text()).not.toContain("very-secret");
    expect(await text()).toContain("[secret]");
  });

  test("begins a file when the day turns or one is full, and drops those that are too old", async () => {
    const { folder, clock, log } = await setUp({ fileBytes: 200 });
    log.info("a".repeat(200));
    log.info("b");
    clock.pass(dayMs);
    log.info("c");
    expect((await readdir(folder)).toSorted()).toEqual([
      "2026-11-24.001.jsonl",
      "2026-11-24.002.jsonl",
      "2026-11-25.001.jsonl",
    ]);
    clock.pass(3 * dayMs);
    log.info("d");
    log.close();
    expect(await readdir(folder)).toEqual(["2026-11-28.001.jsonl"]);
  });

  test("goes on in the day's last file after a restart", async () => {
    const { folder, log } = await setUp();
    log.info("one");
    log.close();
    const { log: again } = await setUp({ folder });
    again.info("two");
    again.close();
    expect(await readdir(folder)).toEqual(["2026-11-24.001.jsonl"]);
  });

  test("that cannot be written says so once and throws nothing", async () => {
    const folder = path.join(await emptyFolder("log"), "logs");
    await mkdir(path.dirname(folder), { recursive: true });
    await writeFile(folder, "a file in its place");
    const { log, problems } = await setUp({ folder });
    log.info("one");
    log.info("two");
    log.close();
    expect(problems).toEqual([expect.stringMatching(/^The log in .* cannot be written \(/)]);
  });
});
