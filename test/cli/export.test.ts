import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, test } from "vitest";
import { z } from "zod";

import { emptyFolder } from "../fakes/folder.ts";
import { launcher, run, scriptedHome } from "../fakes/program.ts";

const script = `
scenes:
  - when: table
    replies: [{ text: "=SUM(A1), \\"quoted\\"\\nand a second line" }]
  - replies:
      - { toolCalls: [{ name: now, input: { zone: UTC } }] }
      - { text: "It is late." }
`;

// A disk of eight kilobytes needs a mount of its own.
const canMount =
  spawnSync("unshare", ["-Urm", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;

const recordSchema = z.object({
  input: z.string(),
  output: z.string(),
  steps: z.array(z.object({ kind: z.string() })),
  usage: z.array(z.object({ costUsd: z.number() })),
});

async function filledHome(): Promise<string> {
  const home = await scriptedHome(script);
  await run(home, ["What time is it?"]);
  await run(home, ["A table, please"]);
  return home;
}

describe("agent export", () => {
  test("writes every task with its steps and usage, oldest first", async () => {
    const home = await filledHome();
    const { stdout } = await run(home, ["export", "--format", "jsonl"]);
    const records = stdout
      .trimEnd()
      .split("\n")
      .map((line) => recordSchema.parse(JSON.parse(line)));
    expect(records.map(({ input }) => input)).toEqual(["What time is it?", "A table, please"]);
    expect(records[0]?.steps.map(({ kind }) => kind)).toEqual(["model", "tool", "model"]);
    expect(records[0]?.usage).toEqual([{ costUsd: 0 }, { costUsd: 0 }]);
    const json = await run(home, ["export", "--format", "json"]);
    expect(z.array(recordSchema).parse(JSON.parse(json.stdout))).toEqual(records);
  });

  test("writes csv that a spreadsheet reads and never runs", async () => {
    const home = await filledHome();
    const file = path.join(home, "tasks.csv");
    const { stdout, stderr } = await run(home, ["export", "--format", "csv", "--output", file]);
    expect([stdout, stderr]).toEqual(["", `2 tasks written to ${file}.\n`]);
    const text = await readFile(file, "utf8");
    expect(text.split("\r\n")[0]).toMatch(/^id,created_at,finished_at,chat,person,/);
    expect(text).toContain(`"'=SUM(A1), ""quoted""\nand a second line"`);
  });

  test("of an empty home is valid in every format", async () => {
    const home = await scriptedHome(script);
    expect(JSON.parse((await run(home, ["export", "--format", "json"])).stdout)).toEqual([]);
    expect((await run(home, ["export"])).stdout).toBe("");
  });

  test.skipIf(!canMount)("onto a full disk says so, and keeps the earlier file", async () => {
    const home = await scriptedHome(script);
    await run(home, ["-"], { input: "A long request. ".repeat(1000) });
    const disk = await emptyFolder("disk");
    const command = `mount -t tmpfs -o size=8k none "$1" && cd "$1" && echo earlier > tasks.jsonl &&
      { "$2" "$3" --home "$4" export --output tasks.jsonl; echo "exit $?"; ls -A; cat tasks.jsonl; }`;
    const args = ["-Urm", "sh", "-c", command, "sh", disk, process.execPath, launcher, home];
    const { stdout, stderr } = spawnSync("unshare", args, { encoding: "utf8" });
    expect(stderr).toMatch(
      /could not be written \(ENOSPC.*\): free some space or choose another place/,
    );
    expect(stdout).toBe("exit 1\ntasks.jsonl\nearlier\n");
  });

  test("to a standard output that is full is a failure, not silence", async () => {
    const home = await filledHome();
    const result = await run(home, ["export"], { stdoutTo: "/dev/full" });
    expect([result.code, result.stderr]).toEqual([
      1,
      expect.stringContaining("could not be written"),
    ]);
  });
});
