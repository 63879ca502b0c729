import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { parseEnv } from "node:util";

import type { z } from "zod";

import type { Agent } from "#core/agent.ts";
import { reasonOf } from "#core/errors.ts";
import type { Environment } from "#core/process.ts";
import { createRedactor, type Redactor } from "#core/redact.ts";
import type { Secrets } from "#core/secret.ts";

import { type Blame, check, invalid, isMapping } from "./config-check.ts";
import { environmentSecrets, readSecrets } from "./secrets.ts";

/** The folders of a run. */
export interface Folders {
  /** Where the program lies; its config/ holds the shipped defaults. */
  readonly root: string;
  /** Where all that is the owner's lies. */
  readonly home: string;
  /** The data directory in the home. */
  readonly state: string;
}

/** The owner's settings, read from files when they are first asked for; a promise rejects with `config.invalid`. */
export interface Config {
  readonly folders: Folders;
  /** The machine's own variables go before those of `.env`. */
  readonly environment: Environment;
  /** The owner's secrets; every one of them is known to the redactor. */
  readonly secrets: Secrets;
  /** A shipped YAML file with the owner's `.local.yaml` merged over it by key, checked. */
  settings<Schema extends z.ZodType>(name: string, schema: Schema): Promise<z.output<Schema>>;
  /** A file's data, not yet checked; `own` in place of the owner's own, if given. */
  layers(name: string, own?: unknown): Promise<Layered>;
  /** A text that differs when the files of a setting have changed. */
  fingerprint(name: string): Promise<string>;
  /** The data of a YAML or JSON file of the owner's. */
  data(file: string): Promise<unknown>;
  /** Every agent of config/agents, sorted by name. */
  agents(): Promise<Agent[]>;
}

function isCheckout(root: string): boolean {
  return !root.split(path.sep).includes("node_modules") && existsSync(path.join(root, "src"));
}

/** The one home: the option, else AGENT_HOME, else the checkout the program lies in, else ~/.personal-ai-agent. */
export function findFolders(root: string, homeOption: string | undefined): Folders {
  const named = homeOption ?? process.env["AGENT_HOME"];
  const own = isCheckout(root) ? root : path.join(homedir(), ".personal-ai-agent");
  const home = named === undefined || named === "" ? own : path.resolve(named);
  return { root, home, state: path.join(home, "workspace", "state") };
}

/** The text of a file; undefined where there is none. Rejects with `config.invalid` for one that cannot be read. */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw invalid(file, `cannot be read (${reasonOf(error)}): check its owner and mode.`, error);
  }
}

async function readEnvironment(home: string): Promise<Environment> {
  const text = await readIfThere(path.join(home, ".env"));
  return { ...(text === undefined ? {} : parseEnv(text)), ...process.env };
}

/** Mappings are merged key by key; anything else of the owner's replaces what was shipped. */
function merge(shipped: unknown, own: unknown): unknown {
  if (!isMapping(shipped) || !isMapping(own)) return own ?? shipped;
  const merged: Record<string, unknown> = { ...shipped };
  for (const [key, value] of Object.entries(own)) {
    merged[key] = key in shipped ? merge(shipped[key], value) : value;
  }
  return merged;
}

/** Replaces `${NAME}` and `${NAME:-default}` in every text. */
function substitute(value: unknown, environment: Environment, file: string): unknown {
  if (Array.isArray(value)) return value.map((item) => substitute(item, environment, file));
  if (isMapping(value)) {
    const entries = Object.entries(value);
    return Object.fromEntries(entries.map(([k, v]) => [k, substitute(v, environment, file)]));
  }
  if (typeof value !== "string") return value;
  return value.replaceAll(/\$\{(\w+)(?::-([^}]*))?\}/g, (_, name: string, fallback?: string) => {
    const found = environment[name] ?? fallback;
    if (found !== undefined) return found;
    throw invalid(file, `the variable ${name} is not set: add it to .env in the home.`);
  });
}

/** A YAML file's data, and the line of a value in it. */
interface Parsed {
  readonly data: unknown;
  /** Undefined where the file says nothing there. */
  readonly lineOf: (at: readonly PropertyKey[]) => number | undefined;
}

async function parseYaml(file: string, text: string): Promise<Parsed> {
  const { LineCounter, isNode, parseDocument } = await import("yaml");
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter });
  const [problem] = document.errors;
  if (problem !== undefined) {
    const [first] = problem.message.split("\n", 1);
    throw invalid(file, `is not valid YAML: ${first?.replace(/:$/, "")}.`, problem);
  }
  return {
    data: document.toJS() ?? {},
    lineOf(at) {
      const node = document.getIn(at, true);
      const start = isNode(node) ? node.range?.[0] : undefined;
      return start === undefined ? undefined : lineCounter.linePos(start).line;
    },
  };
}

function shown(file: string, home: string): string {
  const relative = path.relative(home, file);
  return relative.startsWith("..") ? file : relative;
}

/** A file's data, the shipped with the owner's over it, and where a wrong value is. */
export interface Layered {
  readonly data: unknown;
  /** The owner's own; undefined where there are none. */
  readonly own: unknown;
  readonly blame: Blame;
}

/** One of the files of a setting. */
interface Layer extends Parsed {
  readonly label: string;
}

/** The last file that says something there, since it goes before the others, with its line. */
function blameOf(layers: readonly Layer[], usual: string): Blame {
  return (at) => {
    for (const { label, lineOf } of layers.toReversed()) {
      const line = at.length === 0 ? undefined : lineOf(at);
      if (line !== undefined) return `${label}:${line}`;
    }
    // What is missing is missing where the rest of it stands.
    const own = layers.at(-1);
    for (let depth = at.length - 1; depth > 0; depth -= 1) {
      const line = own?.lineOf(at.slice(0, depth));
      if (line !== undefined) return `${own?.label}:${line}`;
    }
    return usual;
  };
}

/** Reads files of the shipped and the owner's config folder, the owner's over the shipped. */
function createReader({ root, home }: Folders, environment: Environment) {
  // Several parts ask for the same files as the program starts; parsing costs far more than reading.
  const known = new Map<string, { readonly text: string; readonly parsed: Promise<Parsed> }>();

  function parsedOf(label: string, text: string): Promise<Parsed> {
    const earlier = known.get(label);
    if (earlier?.text === text) return earlier.parsed;
    const parsed = parseYaml(label, text);
    known.set(label, { text, parsed });
    return parsed;
  }

  async function read(folder: string, name: string): Promise<Layer | undefined> {
    const file = path.join(folder, "config", name);
    const text = await readIfThere(file);
    if (text === undefined) return undefined;
    const label = shown(file, home);
    const { data, lineOf } = await parsedOf(label, text);
    return { data: substitute(data, environment, label), lineOf, label };
  }
  return async (name: string, given?: unknown): Promise<Layered> => {
    const local = name.replace(/\.yaml$/, ".local.yaml");
    const label = path.join("config", local);
    const shipped = await read(root, name);
    const owned = home === root ? undefined : await read(home, name);
    const own =
      given === undefined
        ? await read(home, local)
        : { data: given, label, lineOf: () => undefined };
    const layers = [shipped, owned, own].filter((layer) => layer !== undefined);
    const data = merge(merge(shipped?.data, owned?.data), own?.data);
    const usual = own === undefined ? path.join("config", name) : label;
    return { data, own: own?.data, blame: blameOf(layers, usual) };
  };
}

async function fingerprintOf({ root, home }: Folders, name: string): Promise<string> {
  const files = [root, home].flatMap((base) =>
    [`${name}.yaml`, `${name}.local.yaml`].map((file) => path.join(base, "config", file)),
  );
  const states = files.map(async (file) => {
    const { mtimeMs, size, ino } = await stat(file);
    return `${mtimeMs} ${size} ${ino}`;
  });
  const found = await Promise.allSettled(states);
  return found.map((state) => (state.status === "fulfilled" ? state.value : "none")).join("\n");
}

/** The names of the agents' files, the shipped ones and the owner's, sorted. */
async function agentFiles({ root, home }: Folders): Promise<string[]> {
  const folders = [...new Set([root, home])].map((base) => path.join(base, "config", "agents"));
  const lists = await Promise.all(folders.map((folder) => readdir(folder).catch(() => [])));
  const files = lists.flat().filter((name) => name.endsWith(".yaml"));
  return [...new Set(files.filter((name) => !name.endsWith(".local.yaml")))].toSorted();
}

/** Reads the owner's settings; only the environment and the secrets are read at once, and the redactor is told of them. */
export async function loadConfig(folders: Folders, redactor: Redactor): Promise<Config> {
  const { home } = folders;
  const environment = await readEnvironment(home);
  const secrets = await readSecrets(home, environment);
  for (const secret of secrets.values()) redactor.add(secret);
  const layered = createReader(folders, environment);

  async function readAgent(file: string): Promise<Agent> {
    const { data, blame } = await layered(path.join("agents", file));
    const { agentSchema } = await import("#core/agent.ts");
    const agent = await check(blame, agentSchema, data);
    if (`${agent.name}.yaml` === file) return agent;
    throw invalid(
      blame(["name"]),
      `the key name must be ${file.replace(/\.yaml$/, "")}, as the file.`,
    );
  }

  return {
    folders,
    environment,
    secrets: (name) => secrets.get(name),
    agents: async () => Promise.all((await agentFiles(folders)).map(readAgent)),
    async settings(name, schema) {
      const { data, blame } = await layered(`${name}.yaml`);
      return check(blame, schema, data);
    },
    layers: (name, own) => layered(`${name}.yaml`, own),
    fingerprint: (name) => fingerprintOf(folders, name),
    async data(file) {
      const text = await readIfThere(file);
      if (text === undefined) throw invalid(shown(file, home), "is not there.");
      return (await parseYaml(shown(file, home), text)).data;
    },
  };
}

/** The program's own version. */
export async function readVersion(root: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(path.join(root, "package.json"), "utf8"));
  return isMapping(manifest) ? String(manifest["version"]) : "unknown";
}

/** A redactor that knows the secrets of the environment; the settings, when they are read, add the others. */
export function createOwnRedactor(): Redactor {
  const redactor = createRedactor();
  for (const secret of environmentSecrets(process.env)) redactor.add(secret);
  return redactor;
}

/** True when the environment asks for output without colour (NO_COLOR, or TERM=dumb). */
export function wantsNoColor(): boolean {
  const { NO_COLOR: noColor = "", TERM: terminal } = process.env;
  return noColor !== "" || terminal === "dumb";
}
