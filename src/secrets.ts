import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { parseEnv } from "node:util";

import { AppError } from "#core/errors.ts";
import type { Environment } from "#core/process.ts";
import { createSecret, type Secret } from "#core/secret.ts";

/** A variable whose name ends like this holds a secret, whoever set it. */
const secretName = /(^|_)(KEY|TOKEN|SECRET|PASSWORD|PASSPHRASE|CREDENTIALS?)$/i;

/** Where container engines put secrets. */
const engineFolder = "/run/secrets";

/** The owner's own file of secrets in the home, `NAME=value` lines, mode 0600. */
export const secretsFile = "secrets.env";

function isMissing(error: unknown): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    /^(ENOENT|ENOTDIR|EACCES)$/.test(String(error.code))
  );
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The files of a folder, each a secret under its own name in capitals (systemd credentials, Docker secrets). */
async function fromFolder(folder: string | undefined): Promise<[string, string][]> {
  if (folder === undefined || folder === "") return [];
  const names = await readdir(folder).catch(() => []);
  const pairs = names.map(async (name): Promise<[string, string]> => {
    const key = name.toUpperCase().replaceAll(/[.-]/g, "_");
    return [key, (await textOf(path.join(folder, name)))?.replace(/\r?\n$/, "") ?? ""];
  });
  return Promise.all(pairs);
}

async function fromOwnFile(home: string): Promise<[string, string][]> {
  const file = path.join(home, secretsFile);
  const text = await textOf(file);
  if (text === undefined) return [];
  const { mode } = await stat(file);
  if (process.platform !== "win32" && (mode & 0o077) !== 0) {
    const problem = `others can read it: run chmod 600 ${file}.`;
    throw new AppError("config.invalid", { file: secretsFile, problem });
  }
  return Object.entries(parseEnv(text)).map(([name, value = ""]) => [name, value]);
}

/** The variables of an environment that hold secrets. */
export function environmentSecrets(environment: Environment): Secret[] {
  const named = Object.entries(environment).filter(([name]) => secretName.test(name));
  return named.map(([name, value = ""]) => createSecret(name, value));
}

/**
 * The owner's secrets by name: from the environment and `.env` (names that end in _KEY, _TOKEN, _SECRET, _PASSWORD and the like),
 * else systemd credentials, else Docker secrets, else `secrets.env` in the home. Rejects with `config.invalid` for a file that
 * others can read.
 */
export async function readSecrets(
  home: string,
  environment: Environment,
  dockerFolder = engineFolder,
): Promise<ReadonlyMap<string, Secret>> {
  const named = environmentSecrets(environment);
  const places = [
    named.map((secret): [string, string] => [secret.name, secret.reveal()]),
    await fromFolder(environment["CREDENTIALS_DIRECTORY"]),
    await fromFolder(dockerFolder),
    await fromOwnFile(home),
  ];
  const secrets = new Map<string, Secret>();
  for (const [name, value] of places.flat()) {
    if (value !== "" && !secrets.has(name)) secrets.set(name, createSecret(name, value));
  }
  return secrets;
}
