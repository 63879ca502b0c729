import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, test } from "vitest";

import { emptyFolder } from "../fakes/folder.ts";
import { startFakeOpenAi } from "../fakes/openai.ts";
import { type Run, run, scriptedHome } from "../fakes/program.ts";
import { closedOrigin } from "../fakes/server.ts";

const goodKey = "sk-good-0123456789";

const script = 'scenes: [{ replies: [{ text: "Hello." }] }]';

/** One clear line, the right exit code, nothing on stdout, no stack trace. */
function expectOneLine(result: Run, code: number, line: RegExp): void {
  expect([result.code, result.stdout]).toEqual([code, ""]);
  expect(result.stderr.trim().split("\n")).toEqual([expect.stringMatching(line)]);
}

describe("bad input is one clear line with the fix", () => {
  test.each([
    ["empty words", [""], 2, /^There is nothing to answer: write some words/],
    ["an unknown tier", ["--tier", "huge", "hi"], 2, /^There is no tier "huge": use one of fast/],
    [
      "an unknown agent",
      ["--agent", "cook", "hi"],
      2,
      /^There is no agent "cook": use one of assistant/,
    ],
    ["an unknown task", ["show", "ZZZZZZ"], 2, /^No task ends with "ZZZZZZ": see agent history/],
    [
      "a cloud nobody allowed",
      ["--tier", "cloud", "hi"],
      5,
      /nothing is sent to a cloud until you allow it/,
    ],
    [
      "an unknown action",
      ["models", "eat"],
      2,
      /^agent models eat is not known, or not whole: use list, pull NAME, check or route TEXT/,
    ],
  ])("%s", async (_, args, code, line) => {
    expectOneLine(await run(await scriptedHome(script), args), code, line);
  });

  test("10 MB of standard input", async () => {
    const result = await run(await scriptedHome(script), [], { input: "x".repeat(10_000_000) });
    expectOneLine(result, 2, /at most 1 MB fit in one request/);
  });

  test("binary standard input", async () => {
    const result = await run(await scriptedHome(script), [], { input: Buffer.from([1, 0, 2]) });
    expectOneLine(result, 2, /^Standard input is not text \(byte 1/);
  });

  test("a malformed YAML file", async () => {
    const home = await scriptedHome(script);
    await writeFile(path.join(home, "config/models.local.yaml"), "use: [");
    expectOneLine(await run(home, ["hi"]), 2, /^config\/models\.local\.yaml: is not valid YAML/);
  });

  test("a script that is not there", async () => {
    const home = await scriptedHome(script);
    await rm(path.join(home, "script.yaml"));
    expectOneLine(await run(home, ["hi"]), 2, /^script\.yaml: is not there/);
  });

  test("an Ollama that does not answer, where the owner wants no other", async () => {
    const home = await scriptedHome(script);
    const url = await closedOrigin();
    const settings = `use: mine
hosts: { ollama: { kind: ollama, url: "${url}" } }
deployments: { mine: { host: ollama, model: m } }
embedded: { smollm2-135m: { starter: false } }
`;
    await writeFile(path.join(home, "config/models.local.yaml"), settings);
    expectOneLine(await run(home, ["hi"]), 4, /does not answer \(connection refused\): start it/);
  });

  const service = (url: string, model: string) => `use: mine
hosts: { mine: { kind: openai, url: "${url}", key: MY_API_KEY } }
deployments: { mine: { host: mine, model: ${model} } }
tiers: { local-fast: [], local-smart: [] }
embedded: { smollm2-135m: { starter: false } }
`;

  test.each([
    [
      "a wrong or revoked key",
      "plain",
      "",
      "sk-wrong-1234567",
      3,
      /^127\.0\.0\.1:\d+ does not accept the key MY_API_KEY: it is mistyped or revoked, so run agent setup --key MY_API_KEY with a valid one\.$/,
    ],
    [
      "no key at all",
      "plain",
      "",
      "",
      3,
      /wants a key and there is none: run agent setup --key MY_API_KEY\.$/,
    ],
    [
      "a base URL without /v1",
      "plain",
      "short",
      goodKey,
      3,
      /is not the address of a model's API \(.*\): write \/v1 at the end of its url/,
    ],
    [
      "a server that answers HTML",
      "html",
      "",
      goodKey,
      3,
      /is not the address of a model's API \(it answers with a web page\): correct its url/,
    ],
    [
      "a model name that does not exist",
      "missing",
      "",
      goodKey,
      3,
      /^The model missing is not on 127\.0\.0\.1:\d+: write the name of one that it has/,
    ],
    [
      "a conversation that is too long",
      "overflow",
      "",
      goodKey,
      1,
      /too long for mine: start a new one with --new/,
    ],
    [
      "too many requests",
      "rate",
      "",
      goodKey,
      75,
      /takes no request right now \(too many requests\): try again in 7 seconds/,
    ],
  ])("%s", async (_, model, address, key, code, line) => {
    const home = await scriptedHome(script);
    const { url } = await startFakeOpenAi(goodKey);
    const at = address === "short" ? url : `${url}/v1`;
    await writeFile(path.join(home, "config/models.local.yaml"), service(at, model));
    expectOneLine(await run(home, ["hi"], { env: { MY_API_KEY: key } }), code, line);
  });

  test("no model and no way to one, and what needs no model goes on working", async () => {
    const home = await scriptedHome(script);
    const origin = await closedOrigin();
    const settings = `hub: "${origin}"
hosts: { ollama: { kind: ollama, url: "${origin}" } }
`;
    await writeFile(path.join(home, "config/models.local.yaml"), settings);
    const result = await run(home, ["hi"], { env: { PIP_INDEX_URL: `${origin}/simple` } });
    expect([result.code, result.stdout]).toEqual([3, ""]);
    expect(result.stderr).toContain("could not be downloaded");
    expect(result.stderr).toContain("Get one in one of three ways: start Ollama");
    const history = await run(home, ["history"]);
    expect([history.code, history.stdout]).toEqual([0, expect.stringContaining("failed")]);
  });

  test("a data directory that cannot be written", async () => {
    const home = await emptyFolder("home");
    await mkdir(path.join(home, "workspace"));
    await writeFile(path.join(home, "workspace/state"), "a file in its place");
    expectOneLine(
      await run(home, ["stats"]),
      3,
      /cannot be written \(.* is not a folder\): move it away/,
    );
  });

  test("--verbose shows where a failure came from", async () => {
    const { stderr } = await run(await scriptedHome(script), ["--verbose", "show", "ZZZZZZ"]);
    expect(stderr).toMatch(/AppError: No task ends with "ZZZZZZ".*\n\s+at /);
  });
});
