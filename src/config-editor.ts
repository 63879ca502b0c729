import { mkdir, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseEnv } from "node:util";

import type { z } from "zod";

import { check, type Config, isMapping, readIfThere } from "./config.ts";
import { agentSchema } from "#core/agent.ts";
import { AppError } from "#core/errors.ts";
import { nearest } from "#core/nearest.ts";
import { botSettingsSchema, logSettingsSchema, privacySettingsSchema } from "#core/settings.ts";
import type { Setting, SettingsEditor } from "#core/settings-editor.ts";
import { secretsFile } from "./secrets.ts";

/** The files of settings by the first part of a key, with their schemas. */
type SettingsSchemas = Readonly<Record<string, z.ZodType>>;

/** Rows that only the program itself reads. */
const hidden = /^models\.embedded\./;

/** The settings of a value, one for each leaf; a list is one value. */
function leaves(key: string, value: unknown, own: unknown): Setting[] {
  if (!isMapping(value) || Object.keys(value).length === 0) {
    return [{ key, value, own: own !== undefined }];
  }
  return Object.entries(value).flatMap(([name, inner]) =>
    leaves(`${key}.${name}`, inner, isMapping(own) ? own[name] : undefined),
  );
}

function unknownKey(key: string, known: readonly string[]): AppError {
  const near = known.find((other) => other.endsWith(`.${key}`)) ?? nearest(key, known);
  const meant =
    near === undefined ? ": agent config list has them all." : `: did you mean ${near}?`;
  return new AppError("config.unknown-key", { key, meant });
}

/** The key of a file's schema: all agents have the same. */
function keyOf(file: string): string {
  return file.startsWith("agents") ? "agents" : file;
}

/** A value as YAML reads it: true, 5, [a, b], or text. */
async function parseValue(text: string): Promise<unknown> {
  const { parse } = await import("yaml");
  try {
    return parse(text);
  } catch {
    return text;
  }
}

async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const beside = `${file}.${process.pid}.part`;
  await writeFile(beside, text, { mode });
  await rename(beside, file);
}

/** The path of a key's file and the place within it; `agents.code.tools` lies in agents/code.yaml. */
function placeOf(key: string): { readonly file: string; readonly at: readonly string[] } {
  const [first = "", ...rest] = key.split(".");
  if (first !== "agents") return { file: first, at: rest };
  return { file: path.join("agents", rest[0] ?? ""), at: rest.slice(1) };
}

async function setSecret(config: Config, name: string, value: string): Promise<string> {
  const { environment, folders } = config;
  const earlier = environment[name] ?? "";
  if (earlier !== "" && earlier !== value) throw new AppError("config.secret-elsewhere", { name });
  const { home } = folders;
  const file = path.join(home, secretsFile);
  const pairs = { ...parseEnv((await readIfThere(file)) ?? ""), [name]: value };
  const lines = Object.entries(pairs).map(([key, text = ""]) => `${key}=${quoted(text)}\n`);
  await writeWhole(file, lines.join(""), 0o600);
  return secretsFile;
}

async function listSettings(config: Config, schemas: SettingsSchemas): Promise<Setting[]> {
  const agents = (await config.agents()).map(({ name }) => path.join("agents", name));
  const files = [...Object.keys(schemas).filter((name) => name !== "agents"), ...agents];
  const lists = files.map(async (file) => {
    const { data, own, blame } = await config.layers(file);
    const schema = schemas[keyOf(file)];
    if (schema !== undefined) await check(blame, schema, data);
    return leaves(file.replaceAll(path.sep, "."), data, own);
  });
  return (await Promise.all(lists)).flat().filter(({ key }) => !hidden.test(key));
}

/**
 * The settings of the owner, read and changed by key; the models part brings the schema of its own file. Everything is checked before
 * it is written.
 */
export function createSettingsEditor(config: Config, models: z.ZodType): SettingsEditor {
  const schemas: SettingsSchemas = {
    models,
    log: logSettingsSchema,
    privacy: privacySettingsSchema,
    bots: botSettingsSchema,
    agents: agentSchema,
  };
  const { home } = config.folders;
  const all = (): Promise<Setting[]> => listSettings(config, schemas);

  function schemaOf(file: string): z.ZodType | undefined {
    return schemas[keyOf(file)];
  }

  async function under(key: string): Promise<Setting[]> {
    const settings = await all();
    const found = settings.filter((one) => one.key === key || one.key.startsWith(`${key}.`));
    if (found.length === 0)
      throw unknownKey(
        key,
        settings.map((one) => one.key),
      );
    return found;
  }

  async function set(key: string, text: string): Promise<string> {
    const { file, at } = placeOf(key);
    const schema = schemaOf(file);
    if (schema === undefined || at.length === 0) {
      throw unknownKey(
        key,
        (await all()).map((one) => one.key),
      );
    }
    const { parseDocument, Document } = await import("yaml");
    const local = path.join("config", `${file}.local.yaml`);
    const before = await readIfThere(path.join(home, local));
    const document = before === undefined ? new Document({}) : parseDocument(before);
    if (document.contents === null) document.contents = document.createNode({});
    document.setIn(at, document.createNode(await parseValue(text)));
    const merged = await config.layers(file, document.toJS());
    await check(local, schema, merged.data);
    await writeWhole(path.join(home, local), document.toString(), 0o644);
    return local;
  }

  return {
    list: all,
    get: under,
    set,
    setSecret: (name, value) => setSecret(config, name, value),
  };
}

/** A value as `parseEnv` reads it back: in the quotes that it does not hold, double ones last, since they know escapes. */
function quoted(value: string): string {
  const mark = ["'", "`", '"'].find((candidate) => !value.includes(candidate));
  if (mark !== undefined) return `${mark}${value}${mark}`;
  throw new AppError("usage.option", {
    problem:
      "A secret that holds all three kinds of quotes cannot be kept in a file: set it in the environment.",
  });
}
