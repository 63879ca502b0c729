import type { Model, ModelEvent, ModelStop } from "../src/core/model.ts";
import { reasonOf } from "../src/core/errors.ts";
import type { OpenedSubject } from "../test/contract/model.ts";
import { basicCases, type ModelCase, serviceCases } from "../test/contract/model-cases.ts";
import { type Provider, providers } from "../test/contract/providers.ts";

import { type BenchResult, type Figure, resultOf } from "./result.ts";

/** Longer than any deadline of a fake's model, so that what hangs fails instead. */
const patienceMs = 8000;

/** A model with one promise broken, and the case that must notice. */
interface Control {
  readonly name: string;
  readonly caseName: string;
  readonly breaks: (model: Model) => Model;
}

function changed(model: Model, change: (event: ModelEvent) => ModelEvent): Model {
  return {
    ...model,
    async *stream(request, signal) {
      for await (const event of model.stream(request, signal)) yield change(event);
    },
  };
}

const whole: ModelStop = { type: "stop", reason: "end" };

const controls: readonly Control[] = [
  {
    name: "takes a cut stream for a whole answer",
    caseName: "stream cut",
    breaks: (model) =>
      changed(model, (event) =>
        event.type === "stop" && event.failure?.code === "model.truncated" ? whole : event,
      ),
  },
  {
    name: "mixes thinking into the answer",
    caseName: "thinking",
    breaks: (model) =>
      changed(model, (event) =>
        event.type === "thinking" ? { type: "text", text: event.text } : event,
      ),
  },
  {
    name: "loses what a chunk's border cuts",
    caseName: "unicode cut across chunks",
    breaks: (model) =>
      changed(model, (event) =>
        event.type === "text" ? { ...event, text: event.text.replaceAll(/[^ -~]/g, "?") } : event,
      ),
  },
  {
    name: "does not pass an abort on",
    caseName: "cancel in the middle",
    breaks: (model) => ({
      ...model,
      stream: (request) => model.stream(request, new AbortController().signal),
    }),
  },
];

async function withPatience(work: Promise<void>): Promise<void> {
  const done = new AbortController();
  const late = new Promise<void>((_, reject) => {
    const timer = setTimeout(() => reject(new Error("hangs")), patienceMs);
    done.signal.addEventListener("abort", () => clearTimeout(timer));
  });
  try {
    await Promise.race([work, late]);
  } finally {
    done.abort();
  }
}

/** What came of a case: "pass", "fail: why" or "not applicable: why". */
async function outcomeOf(
  provider: Provider,
  check: ModelCase,
  breaks: (model: Model) => Model = (model) => model,
): Promise<string> {
  const opened: OpenedSubject | string = await provider.open(check.name);
  if (typeof opened === "string") return `not applicable: ${opened}`;
  try {
    await withPatience(check.run({ ...opened, model: breaks(opened.model) }));
    return "pass";
  } catch (error) {
    return `fail: ${reasonOf(error)}`;
  } finally {
    await opened.close?.();
  }
}

async function caseFigures(check: ModelCase): Promise<Figure[]> {
  return Promise.all(
    providers.map(async (provider) => {
      const value = await outcomeOf(provider, check);
      const holds = !value.startsWith("fail");
      return { name: `${check.name} / ${provider.name}`, value, bound: { words: "pass", holds } };
    }),
  );
}

async function controlFigures({ name, caseName, breaks }: Control): Promise<Figure[]> {
  const check = serviceCases.find((entry) => entry.name === caseName);
  if (check === undefined) throw new Error(`there is no case ${caseName}`);
  return Promise.all(
    providers.map(async (provider) => {
      const outcome = await outcomeOf(provider, check, breaks);
      const holds = outcome.startsWith("fail");
      const value = holds ? "caught" : "not caught";
      return {
        name: `a model that ${name} / ${provider.name}`,
        value,
        bound: { words: "caught", holds },
      };
    }),
  );
}

function printTable(figures: readonly Figure[]): void {
  const rows = new Map<string, Record<string, string>>();
  for (const { name, value } of figures) {
    const [row = "", column = ""] = name.split(" / ");
    rows.set(row, { ...rows.get(row), [column]: String(value) });
  }
  console.table(Object.fromEntries(rows));
}

/** Every case of the models' suite on every provider with its fake server, and models with a broken promise that must fail. */
export async function run(): Promise<BenchResult> {
  const figures: Figure[] = [];
  for (const check of [...basicCases, ...serviceCases]) figures.push(...(await caseFigures(check)));
  for (const control of controls) figures.push(...(await controlFigures(control)));
  printTable(figures);
  const count = (start: string): number =>
    figures.filter(({ value }) => String(value).startsWith(start)).length;
  return resultOf("providers", 0, [
    { name: "passed", value: count("pass") },
    { name: "not applicable", value: count("not applicable") },
    ...figures.filter(({ bound }) => bound?.holds === false),
    { name: "failed", value: count("fail"), bound: { words: "0", holds: count("fail") === 0 } },
    {
      name: "broken models not caught",
      value: count("not caught"),
      bound: { words: "0", holds: count("not caught") === 0 },
    },
  ]);
}
