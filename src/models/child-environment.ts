import type { Environment } from "#core/process.ts";

/** What any program needs to start at all; none of it is a secret. */
const harmless = ["PATH", "HOME", "TMPDIR", "TEMP", "USERPROFILE", "SystemRoot"];

/** The environment of a child process: the harmless variables and those named, nothing else. */
export function childEnvironment(
  environment: Environment,
  named: readonly string[] = [],
): Record<string, string> {
  const entries = [...harmless, ...named].flatMap((key) => {
    const value = environment[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  return Object.fromEntries(entries);
}
