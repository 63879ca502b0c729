import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import path from "node:path";

const root = path.join(import.meta.dirname, "..");
/** What the program runs from; the package mirrors it under dist. */
const folders = ["src", "bots"];
const dist = path.join(root, "dist");
const core = /(["'])#core\/([\w-]+)\.ts\1/g;
const relative = /(["'])((?:\.{1,2}\/[\w./-]*)?[\w-]+)\.ts\1/g;

/** Paths as they are in the package: no import map, and the extension of what was emitted. */
function packed(name: string, text: string): string {
  const up = path.relative(path.dirname(name), path.join("src", "core")).replaceAll(path.sep, "/");
  const toCore = up === "" ? "." : up.startsWith(".") ? up : `./${up}`;
  return text
    .replaceAll(core, (_, quote: string, file: string) => `${quote}${toCore}/${file}.js${quote}`)
    .replaceAll(relative, "$1$2.js$1");
}

function files(folder: string, ending: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.endsWith(ending));
}

/** Emits the types with the compiler, and the JavaScript as Node itself strips it when it runs the sources. */
function build(): void {
  const tsc = path.join(root, "node_modules", "typescript", "bin", "tsc");
  const project = path.join(root, "tsconfig.build.json");
  execFileSync(process.execPath, [tsc, "--project", project], { stdio: "inherit" });
  for (const name of files(dist, ".d.ts")) {
    const file = path.join(dist, name);
    writeFileSync(file, packed(name, readFileSync(file, "utf8")));
  }
  const names = folders.flatMap((folder) =>
    files(path.join(root, folder), ".ts").map((name) => path.join(folder, name)),
  );
  for (const name of names) {
    const text = stripTypeScriptTypes(readFileSync(path.join(root, name), "utf8"));
    const file = path.join(dist, name.replace(/\.ts$/, ".js"));
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, packed(name, text).replaceAll(/[ \t]+$/gm, ""));
  }
}

rmSync(dist, { recursive: true, force: true });
if (!process.argv.includes("--clean")) build();
