import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import type { FakeTelegram } from "./server.ts";

const models = `use: script
hosts: { here: { kind: scripted, script: script.yaml } }
deployments: { script: { host: here, model: script } }
`;

/** A home outside of tests whose bot talks to a stand-in, and whose model follows a script. */
export async function botHome(
  { url }: FakeTelegram,
  owners: readonly number[],
  script: string,
  groups: readonly number[] = [],
): Promise<string> {
  const home = await mkdtemp(path.join(tmpdir(), "bot-home-"));
  const config = path.join(home, "config");
  await mkdir(config);
  const open = groups.map((group) => `"${group}": people`).join(", ");
  const bots = `telegram: { api_root: "${url}", owners: [${owners.join(", ")}], chats: { ${open} } }\n`;
  await writeFile(path.join(config, "bots.local.yaml"), bots);
  await writeFile(path.join(config, "models.local.yaml"), models);
  await writeFile(path.join(home, "script.yaml"), script);
  return home;
}
