// Builds the image and runs it, without a container engine: see docs/operations.md.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

import { z } from "zod";

import { type Figure, printResult, resultOf } from "../../bench/result.ts";

import { arm64Root, Buildah, localBase } from "./base.ts";
import { buildImage } from "./build.ts";
import {
  arm64Figures,
  imageFigures,
  ownerFigures,
  programFigures,
  serviceFigures,
  symbolFigures,
  wallFigures,
} from "./checks.ts";
import { obstacle } from "./commands.ts";

const root = path.join(import.meta.dirname, "../..");

function versionIn(folder: string): string {
  const text = readFileSync(path.join(root, folder, "package.json"), "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}

async function check(baseFolder: string, folder: string): Promise<Figure[]> {
  const buildah = new Buildah(baseFolder);
  const node = {
    version: versionIn("node_modules/node"),
    binary: path.join(root, "node_modules/node/bin/node"),
  };
  console.log(
    `check:image: base and arm64 libraries in ${baseFolder} (made once, a minute or two)`,
  );
  const base = localBase(buildah, baseFolder, node);
  const arm64 = arm64Root(baseFolder, node.version);
  console.log("check:image: build");
  const image = buildImage(buildah, { root, base, folder });
  try {
    console.log("check:image: run");
    return [
      ...imageFigures(image),
      ...wallFigures(image, folder),
      ...programFigures(image, folder, versionIn("")),
      ...(await serviceFigures(image, folder)),
      ...ownerFigures(image, folder),
      ...symbolFigures(image, arm64),
      ...arm64Figures(image, folder, arm64),
    ];
  } finally {
    image.remove();
  }
}

/** The folder that is kept, made for us alone: what root builds from must be nobody else's. */
function kept(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (statSync(folder).uid === process.getuid?.()) return folder;
  throw new Error(`${folder} belongs to another: name a folder with --base-folder.`);
}

const { values } = parseArgs({
  options: { "base-folder": { type: "string", default: path.join(tmpdir(), "agent-image-base") } },
});
const reason = obstacle();
if (reason === undefined) {
  const baseFolder = kept(path.resolve(values["base-folder"]));
  const folder = mkdtempSync(path.join(baseFolder, "run-"));
  try {
    printResult(resultOf("image", 0, await check(baseFolder, folder)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
} else console.log(`check:image: skipped: ${reason}`);
