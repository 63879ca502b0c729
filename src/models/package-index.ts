import { z } from "zod";

import type { Door } from "#core/http.ts";
import type { Environment, Spawn } from "#core/process.ts";

import { childEnvironment } from "./child-environment.ts";

async function outputOf(
  spawn: Spawn,
  env: Record<string, string>,
  line: readonly [string, ...string[]],
): Promise<string> {
  const [command, ...args] = line;
  const child = spawn({ command, args, env });
  let output = "";
  child.onOutput((stream, text) => {
    if (stream === "stdout") output += text;
  });
  const { code } = await child.exited;
  return code === 0 ? output.trim() : "";
}

const builtIn = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)";

/** The address of the package index that pip would use, asked without any traffic; undefined where there is no pip. */
export async function findIndex(
  spawn: Spawn,
  environment: Environment,
): Promise<string | undefined> {
  const named = environment["PIP_INDEX_URL"] ?? "";
  if (URL.canParse(named)) return named;
  const env = childEnvironment(environment, ["PIP_CONFIG_FILE", "XDG_CONFIG_HOME"]);
  for (const python of ["python3", "python"]) {
    const configured = await outputOf(spawn, env, [
      python,
      "-m",
      "pip",
      "config",
      "get",
      "global.index-url",
    ]);
    if (URL.canParse(configured)) return configured;
    const own = await outputOf(spawn, env, [python, "-c", builtIn]);
    if (URL.canParse(own)) return own;
  }
  return undefined;
}

const pageSchema = z.object({
  files: z.array(z.object({ filename: z.string(), url: z.string() })),
});

/** The address of a package's wheel, from the index's JSON page (the simple API, PEP 691); undefined when it has none. */
export async function findWheel(
  door: Door,
  index: string,
  wanted: {
    readonly name: string;
    readonly version: string;
    readonly signal: AbortSignal;
    /** The task that it is for; null where there is none. */
    readonly taskId: string | null;
  },
): Promise<{ readonly url: string; readonly page: string } | undefined> {
  const page = `${index.replace(/\/$/, "")}/${wanted.name}/`;
  const { origin } = new URL(page);
  door.allow({ purpose: "index", origin, linksOut: true });
  door.allow({ purpose: "model-download", origin, linksOut: true });
  const fetch = door.open({ purpose: "index", taskId: wanted.taskId });
  const accept = "application/vnd.pypi.simple.v1+json";
  const response = await fetch(page, { headers: { accept }, signal: wanted.signal });
  if (!response.ok) {
    await response.body?.cancel();
    return undefined;
  }
  const { files } = pageSchema.parse(await response.json());
  const stem = `${wanted.name.replaceAll("-", "_")}-${wanted.version}-`;
  const wheel = files.find(
    ({ filename }) => filename.startsWith(stem) && filename.endsWith(".whl"),
  );
  return wheel === undefined ? undefined : { url: new URL(wheel.url, page).href, page };
}
