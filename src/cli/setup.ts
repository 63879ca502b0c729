import { z } from "zod";

import { AppError, exitCodes } from "#core/errors.ts";
import { owner } from "#core/person.ts";
import type { ListedModel } from "#core/models.ts";
import { checkLanguage, checkTimeZone, machineLanguage, machineTimeZone } from "#core/time.ts";

import type { Asker } from "./asker.ts";
import { noteRunning } from "./config.ts";
import { type Output, sizeText } from "./output.ts";
import type { Services } from "./services.ts";
import { readWords } from "./words.ts";

/** The flags of agent setup. */
export const setupOptionsSchema = z.object({
  model: z.string().optional(),
  cloud: z.enum(["never", "when-asked", "fallback"]).optional(),
  timeZone: z.string().optional(),
  language: z.string().optional(),
  key: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{2,60}$/)
    .optional(),
  yes: z.boolean().default(false),
});

/** What agent setup was told on its command line. */
export type SetupOptions = z.infer<typeof setupOptionsSchema>;

interface Setup {
  readonly services: Services;
  readonly output: Output;
  readonly options: SetupOptions;
  readonly stdin: NodeJS.ReadStream;
  readonly signal: AbortSignal;
  /** Absent where there is nobody to ask. */
  readonly asker: Asker | undefined;
}

const cloudRules = [
  { value: "never", label: "Never: everything is answered on this machine" },
  { value: "when-asked", label: "Only when I say so: agent --tier cloud" },
  { value: "fallback", label: "Also as a fallback for what I type, when no model here can answer" },
] as const;

const keys = [
  { value: "ANTHROPIC_API_KEY", label: "Claude (Anthropic)" },
  { value: "OPENAI_API_KEY", label: "GPT (OpenAI)" },
] as const;

/** A flag's value, else what the person answers, else nothing. */
async function answerOf<Value extends string>(
  setup: Setup,
  flag: Value | undefined,
  ask: (asker: Asker) => Promise<Value>,
): Promise<Value | undefined> {
  if (flag !== undefined) return flag;
  return setup.asker === undefined ? undefined : ask(setup.asker);
}

function offerLabel({ name, sizeBytes }: ListedModel): string {
  return `${name}, ${sizeText(sizeBytes)}, runs in this program`;
}

async function chooseModel({ services, output }: Setup, asker: Asker): Promise<string> {
  const { operations } = services;
  const [models, ways] = await Promise.all([
    operations.models({}),
    operations.explain({ tier: "fast" }),
  ]);
  const usable = ways.find((way) => way.usable && way.tier !== "embedded");
  const onHosts = models.filter((model) => model.here && model.where !== "embedded");
  if (onHosts.length > 0) output.note(`Ollama has ${onHosts.map(({ name }) => name).join(", ")}.`);
  else output.note("Ollama does not run here, or has no model yet; it is not needed.");
  const missing = ways.flatMap((way) => way.pull ?? []);
  const keep = usable ?? ways.find((way) => way.usable);
  return asker.select("Which model should answer?", [
    {
      value: "none",
      label: keep === undefined ? "None for now" : `As it is: ${keep.deployment} (${keep.reason})`,
    },
    ...missing.map((name) => ({ value: name, label: `${name}, with Ollama` })),
    ...models
      .filter((model) => !model.here && model.where === "embedded")
      .map((model) => ({ value: model.name, label: offerLabel(model) })),
  ]);
}

async function setModel(setup: Setup): Promise<void> {
  const { services, output, options, signal } = setup;
  const name = await answerOf(setup, options.model, (asker) => chooseModel(setup, asker));
  if (name === undefined || name === "none") return;
  await services.operations.pull({ name }, { signal });
  output.note(`${name} is here.`);
}

/** Resolves with true where a key was kept. */
async function setCloud(setup: Setup): Promise<boolean> {
  const { services, output, options } = setup;
  const rule = await answerOf(setup, options.cloud, (asker) =>
    asker.select("May your words go to a cloud model?", cloudRules),
  );
  if (rule === undefined) return false;
  output.note(`Written to ${await (await services.settings()).set("models.cloud", rule)}.`);
  if (rule === "never" || setup.asker === undefined || options.key !== undefined) return false;
  const name = await setup.asker.select("Whose models? Its key is asked for next.", [
    ...keys,
    { value: "none", label: "None for now" },
  ]);
  if (name === "none") return false;
  await putKey(setup, name, await setup.asker.secret(name));
  return true;
}

async function putKey({ services, output }: Setup, name: string, value: string): Promise<void> {
  const key = value.trim();
  if (key === "") throw new AppError("usage.option", { problem: `No ${name} was given.` });
  output.note(
    `${name} is kept in ${await (await services.settings()).setSecret(name, key)} (mode 0600).`,
  );
}

/** Resolves with true where a key was kept. */
async function setKey(setup: Setup): Promise<boolean> {
  const { options, asker, stdin } = setup;
  if (options.key === undefined) return false;
  const value = asker === undefined ? await readWords([], stdin) : await asker.secret(options.key);
  await putKey(setup, options.key, value);
  return true;
}

async function setPerson(setup: Setup): Promise<void> {
  const { services, options } = setup;
  const timeZone = await answerOf(setup, options.timeZone, (asker) =>
    asker.text("Your time zone?", machineTimeZone(), checkTimeZone),
  );
  const language = await answerOf(setup, options.language, (asker) =>
    asker.text("Your language?", machineLanguage(), checkLanguage),
  );
  if (timeZone === undefined && language === undefined) return;
  await services.operations.setPerson({ personId: owner, timeZone, language });
}

function checkAnswerable({ asker, options }: Setup): void {
  const { yes, ...flags } = options;
  if (asker !== undefined || yes || Object.keys(flags).length > 0) return;
  const problem =
    "agent setup asks on a terminal, and this is none: give its answers as flags (agent setup --help), or --yes.";
  throw new AppError("usage.option", { problem });
}

/** Leads through what has to be decided once; every question has a flag, and a key comes by hidden prompt or standard input. */
export async function runSetup(
  services: Services,
  output: Output,
  given: Pick<Setup, "options" | "stdin" | "signal" | "asker">,
): Promise<number> {
  const whole: Setup = { services, output, ...given };
  checkAnswerable(whole);
  await setModel(whole);
  const kept = [await setCloud(whole), await setKey(whole)];
  await setPerson(whole);
  if (!(await services.isOwn())) {
    noteRunning(await services.holder(), output, kept.includes(true) ? "other" : "models");
  }
  output.note('agent setup telegram connects a bot. Try it now: agent "What can you do?"');
  return exitCodes.ok;
}
