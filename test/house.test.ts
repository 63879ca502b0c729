import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, test } from "vitest";
import { z } from "zod";

const root = path.join(import.meta.dirname, "..");

/** The one home of every runtime package: a part of src, a file in it, or a face in bots. */
const homes: Readonly<Record<string, readonly string[]>> = {
  "@anthropic-ai/sdk": ["models"],
  "@bomb.sh/tab": ["cli"],
  "@clack/prompts": ["cli"],
  "@pydantic/genai-prices": ["models"],
  "better-sqlite3": ["store"],
  commander: ["cli"],
  grammy: ["bots/telegram"],
  kysely: ["store"],
  "markdown-it": ["bots/telegram"],
  "node-llama-cpp": ["models"],
  ollama: ["models"],
  pino: ["log.ts"],
  undici: ["egress"],
  yaml: ["config"],
  zod: [""],
};

const manifest = z
  .object({
    dependencies: z.record(z.string(), z.string()),
    devDependencies: z.record(z.string(), z.string()),
  })
  .parse(JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")));

function sources(folder: string): { readonly file: string; readonly text: string }[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => ({ file: name, text: readFileSync(path.join(root, folder, name), "utf8") }));
}

/** What a file imports, statically, dynamically or by resolving. */
function specifiers(text: string): string[] {
  const found = text.matchAll(
    /(?:^(?:import|export)\b[^;"']*?from\s*|\bimport\(\s*|import\.meta\.resolve\(\s*)["']([^"']+)["']/gm,
  );
  return [...found].map((match) => match[1] ?? "");
}

function packageOf(specifier: string): string | undefined {
  if (/^(\.|#core\/|node:)/.test(specifier)) return undefined;
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

/** Imports of a file that are not at home where it lies. */
function strangers(file: string, text: string): string[] {
  return specifiers(text).filter((specifier) => {
    const name = packageOf(specifier);
    return name !== undefined && homes[name]?.some((home) => file.startsWith(home)) !== true;
  });
}

/** Imports of a file that leave its part other than through core. */
function sideways(file: string, text: string): string[] {
  if (
    [
      "app.ts",
      "app-parts.ts",
      "live-models.ts",
      "model-parts.ts",
      "storage-parts.ts",
      "bots.ts",
      "faces.ts",
      "seams.ts",
      "main.ts",
      "doctor.ts",
      "spending.ts",
    ].includes(file)
  )
    return [];
  return specifiers(text).filter((specifier) => {
    if (!specifier.startsWith(".")) return false;
    const part = path.dirname(file).split(path.sep)[0] ?? "";
    const target = path.join(path.dirname(file), specifier).split(path.sep);
    return part === "." ? target.length > 1 : target[0] !== part;
  });
}

function moduleState(text: string): string[] {
  return text.split("\n").filter((line) => /^(export )?(let|var) /.test(line));
}

/** Exports without a sentence of contract above them. */
function undocumented(text: string): string[] {
  const lines = text.split("\n");
  return lines.filter(
    (line, at) => line.startsWith("export ") && lines[at - 1]?.endsWith("*/") !== true,
  );
}

const parts = [
  ...sources("src"),
  ...sources("bots").map(({ file, text }) => ({ file: `bots/${file}`, text })),
];

describe("the house", () => {
  test.each(parts)("$file imports only what is at home there", ({ file, text }) => {
    expect([strangers(file, text), sideways(file, text)]).toEqual([[], []]);
  });

  test("every runtime package has a home, and every home a package", () => {
    // The engine is a development dependency, so that the packed program is light; it is used where it is installed.
    const runtime = { ...manifest.dependencies, "node-llama-cpp": "" };
    expect(Object.keys(homes).toSorted()).toEqual(Object.keys(runtime).toSorted());
  });

  test("no module keeps state", () => {
    expect(parts.flatMap(({ text }) => moduleState(text))).toEqual([]);
  });

  test("no test mocks a module or spies", () => {
    const mocks = sources("test").filter(({ text }) => /\bvi\.(mock|fn|spyOn|doMock)\(/.test(text));
    expect(mocks.map(({ file }) => file)).toEqual([]);
  });

  test("every export of core says what it promises", () => {
    const core = parts.filter(({ file }) => file.startsWith("core"));
    const bare = core.map(({ file, text }) => [file, undocumented(text)]);
    expect(bare.filter(([, lines]) => lines?.length !== 0)).toEqual([]);
  });

  test("versions are exact", () => {
    const all = {
      ...manifest.dependencies,
      ...manifest.devDependencies,
    };
    expect(Object.values(all).filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  test("the lock file has the binaries of every platform", () => {
    const lock = z
      .object({
        packages: z.record(z.string(), z.object({ integrity: z.string().optional() }).loose()),
      })
      .parse(JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8")));
    const names = Object.entries(lock.packages).filter(
      ([, entry]) => entry.integrity !== undefined,
    );
    const has = (pattern: RegExp): boolean => names.some(([name]) => pattern.test(name));
    const wanted = ["oxlint", "oxfmt", "oxlint-tsgolint", "rolldown", "typescript"].flatMap(
      (tool) =>
        ["darwin-arm64", "linux-x64", "win32-x64"].map(
          (platform) => new RegExp(`@${tool}/(\\w+-)*${platform}`),
        ),
    );
    const engine = ["mac-arm64-metal", "linux-x64", "win-x64"].map(
      (name) => new RegExp(`@node-llama-cpp/${name}$`),
    );
    expect([...wanted, ...engine].filter((pattern) => !has(pattern)).map(String)).toEqual([]);
  });
});

describe("the house's checks can fail", () => {
  test.each([
    ["a package away from home", strangers("agents/loop.ts", 'import { fetch } from "undici";')],
    ["a package nobody knows", strangers("store/a.ts", 'const x = await import("left-pad");')],
    ["a sideways import", sideways("agents/loop.ts", 'import { a } from "../store/a.ts";')],
    [
      "a part of app.ts's in a root file",
      sideways("config.ts", 'import { a } from "./store/a.ts";'),
    ],
    ["module state", moduleState("let count = 0;")],
    ["an export without a sentence", undocumented("export const a = 1;")],
  ])("%s is found", (_, found) => {
    expect(found).toHaveLength(1);
  });
});
