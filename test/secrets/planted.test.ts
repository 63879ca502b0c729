import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, test } from "vitest";

import { readSecrets } from "../../src/secrets.ts";
import { emptyFolder } from "../fakes/folder.ts";
import { startFakeOllama } from "../fakes/ollama.ts";
import { type Run, run, scriptedHome } from "../fakes/program.ts";
import { found, planted } from "./planted.ts";

const names = Object.keys(planted);
const all = Object.entries(planted);

/** The same value under a name that says nothing of a secret: what the search must find, or it could find nothing at all. */
const control = { NICKNAME: "not-a-secret-planted99-but-searched" };

/** Spreads the secrets over every place that an owner can keep them in; gives what goes into the environment. */
async function plant(home: string): Promise<Record<string, string>> {
  const credentials = await emptyFolder("credentials");
  const lines = (part: readonly string[]): string =>
    part.map((name) => `${name}=\`${planted[name]}\`\n`).join("");
  await writeFile(path.join(home, ".env"), lines(names.slice(10, 13)));
  await writeFile(path.join(home, "secrets.env"), lines(names.slice(13, 16)), { mode: 0o600 });
  for (const name of names.slice(16, 20)) {
    const file = path.join(credentials, name.toLowerCase().replaceAll("_", "-"));
    await writeFile(file, `${planted[name]}\n`);
  }
  const environment = Object.fromEntries(all.slice(0, 10));
  return { ...environment, ...control, CREDENTIALS_DIRECTORY: credentials };
}

/** Every text, in words of a person and of a model, plain and encoded. */
function everything(): string {
  const values = [...all, ...Object.entries(control)].map(([, value]) => value);
  const encoded = values.flatMap((value) => [
    value,
    encodeURIComponent(value),
    Buffer.from(value).toString("base64"),
    Buffer.from(`x${value}`).toString("base64"),
    Buffer.from(value).toString("hex"),
    JSON.stringify(value),
  ]);
  return encoded.join("\n");
}

/** All bytes of the files under a folder, as text in which any byte stands for itself and as UTF-8. */
async function textUnder(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = files.map(async (entry) =>
    readFile(path.join(entry.parentPath, entry.name), "utf8"),
  );
  return (await Promise.all(texts)).join("\n");
}

function leaks(text: string): string[] {
  return all.flatMap(([name, value]) => found(text, name, value));
}

function controls(text: string): string[] {
  return Object.entries(control).flatMap(([name, value]) => found(text, name, value));
}

const said = (runs: readonly Run[]): string =>
  runs.map(({ stdout, stderr }) => stdout + stderr).join("\n");

describe("twenty planted secrets", () => {
  test("are in no answer, log, database, export, crash output or bundle, and the search would find them", async () => {
    const replies = [
      { toolCalls: [{ name: "now", input: { zone: everything() } }] },
      { thinking: everything(), text: everything(), piece: 7 },
    ];
    const home = await scriptedHome(
      JSON.stringify({
        scenes: [{ when: "odd", replies: [{ failure: "nonsense" }] }, { replies }],
      }),
    );
    const env = await plant(home);
    const good = JSON.stringify({ scenes: [{ replies }] });
    await writeFile(path.join(home, "script.yaml"), good);
    const runs = [
      await run(home, ["-"], { env, input: everything() }),
      await run(home, ["history", "--json"], { env }),
      await run(home, ["--json", "What is it?"], { env }),
    ];
    const { stdout: json } = await run(home, ["export", "--format", "json"], { env });
    const csv = path.join(home, "export.csv");
    await run(home, ["export", "--format", "csv", "--output", csv], { env });
    const settings = `use: script
hosts: { here: { kind: scripted, script: "\${OPENAI_API_KEY} \${NICKNAME} \${DATABASE_PASSWORD}" } }
deployments: { script: { host: here, model: script } }
`;
    await writeFile(path.join(home, "config/models.local.yaml"), settings);
    const crashes = [
      await run(home, ["--verbose", "What is it?"], { env }),
      await run(home, ["config", "list"], { env }),
      await run(home, ["serve", `${planted["GITHUB_TOKEN"]}`], { env }),
    ];
    const bundle = path.join(home, "bundle.json");
    await run(home, ["doctor", "--bundle", bundle], { env });
    const places = {
      answers: said(runs),
      crashes: said(crashes),
      state: await textUnder(path.join(home, "workspace")),
      json,
      csv: await readFile(csv, "utf8"),
      bundle: await readFile(bundle, "utf8"),
    };
    for (const [place, text] of Object.entries(places)) {
      expect([place, leaks(text)]).toEqual([place, []]);
      expect([place, controls(text)]).toEqual([place, expect.arrayContaining(["NICKNAME (mark)"])]);
    }
  });

  test("are in no prompt, neither of a request nor of the turns before it", async () => {
    const fake = await startFakeOllama();
    const home = await scriptedHome("scenes: [{ replies: [{ text: x }] }]");
    const env = await plant(home);
    const settings = `use: mine
hosts: { ollama: { kind: ollama, url: "${fake.url}" } }
deployments: { mine: { host: ollama, model: plain, context: 100000 } }
`;
    await writeFile(path.join(home, "config/models.local.yaml"), settings);
    await run(home, ["-"], { env, input: everything() });
    await run(home, ["And now?"], { env });
    const prompts = JSON.stringify(fake.chats);
    expect(fake.chats).toHaveLength(2);
    expect(leaks(prompts)).toEqual([]);
    expect(controls(prompts)).toContain("NICKNAME (mark)");
  });

  test("are all known by name, wherever they were put", async () => {
    const home = await emptyFolder("home");
    const environment = await plant(home);
    const file = await readFile(path.join(home, ".env"), "utf8");
    const { parseEnv } = await import("node:util");
    const secrets = await readSecrets(home, { ...parseEnv(file), ...environment });
    expect(names.filter((name) => secrets.get(name)?.reveal() !== planted[name])).toEqual([]);
  });

  test("of a container engine are found by the names of their files", async () => {
    const folder = await emptyFolder("run-secrets");
    await writeFile(path.join(folder, "anthropic_api_key"), "sk-ant-docker\n");
    const secrets = await readSecrets(await emptyFolder("home"), {}, folder);
    expect(secrets.get("ANTHROPIC_API_KEY")?.reveal()).toBe("sk-ant-docker");
  });

  test("in a file that others can read are refused with the command that mends it", async () => {
    const home = await scriptedHome("scenes: [{ replies: [{ text: x }] }]");
    await writeFile(path.join(home, "secrets.env"), "A_KEY=1234567\n", { mode: 0o644 });
    const { code, stderr } = await run(home, ["hi"]);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^secrets\.env: others can read it: run chmod 600 .*\n$/),
    ]);
  });
});
