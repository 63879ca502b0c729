import { type BenchResult, printResult } from "./result.ts";

type Bench = (args: readonly string[]) => Promise<BenchResult>;

const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  classify: async () => (await import("./classify.ts")).run,
  embedded: async () => (await import("./embedded.ts")).run,
  export: async () => (await import("./export.ts")).run,
  markdown: async () => (await import("./markdown.ts")).run,
  prompt: async () => (await import("./prompt.ts")).run,
  providers: async () => (await import("./providers.ts")).run,
  router: async () => (await import("./router.ts")).run,
  start: async () => (await import("./start.ts")).run,
  telegram: async () => (await import("./telegram.ts")).run,
  turn: async () => (await import("./turn.ts")).run,
};

const [name = "", ...args] = process.argv.slice(2);
const load = benches[name];
if (load === undefined) {
  console.error(`There is no bench "${name}": use one of ${Object.keys(benches).join(", ")}.`);
  process.exitCode = 2;
} else {
  const bench = await load();
  printResult(await bench(args));
}
