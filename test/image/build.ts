import { mkdtempSync, rmSync, statSync } from "node:fs";
import path from "node:path";

import { z } from "zod";

import type { Buildah } from "./base.ts";

const imageSchema = z.object({
  OCIv1: z.object({ rootfs: z.object({ diff_ids: z.array(z.string()) }) }),
  Docker: z.object({
    config: z.object({
      User: z.string(),
      Env: z.array(z.string()),
      Entrypoint: z.array(z.string()),
      Cmd: z.array(z.string()),
      Volumes: z.record(z.string(), z.unknown()).default({}),
      Healthcheck: z.object({ Test: z.array(z.string()) }).optional(),
    }),
  }),
});

const layersSchema = imageSchema.pick({ OCIv1: true });

/** A built image. */
export interface Image {
  /** Where its files can be seen. */
  readonly rootfs: string;
  readonly config: z.infer<typeof imageSchema>["Docker"]["config"];
  /** Megabytes, uncompressed. */
  readonly ownMb: number;
  readonly baseMb: number;
  remove(): void;
}

function layersOf(buildah: Buildah, image: string): string[] {
  const text = buildah.do("inspect", "--type", "image", image);
  return layersSchema.parse(JSON.parse(text)).OCIv1.rootfs.diff_ids;
}

/** The sizes of an image's layers as they lie on a disk, in megabytes. */
function layerSizes(buildah: Buildah, image: string, folder: string): number[] {
  const out = mkdtempSync(path.join(folder, "layers-"));
  try {
    buildah.do("push", "--quiet", "--disable-compression", image, `dir:${out}`);
    const files = layersOf(buildah, image).map((id) => path.join(out, id.replace("sha256:", "")));
    return files.map((file) => statSync(file).size / 1e6);
  } finally {
    rmSync(out, { recursive: true });
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Builds the real Dockerfile of `root` over this base, and mounts what came out. */
export function buildImage(
  buildah: Buildah,
  options: { readonly root: string; readonly base: string; readonly folder: string },
): Image {
  const { root, base, folder } = options;
  const name = "localhost/personal-ai-agent:check";
  const how = ["--pull=never", "--isolation", "chroot", "--format", "docker", "--layers"];
  buildah.do("bud", ...how, "--build-arg", `BASE=${base}`, "--tag", name, root);
  const sizes = layerSizes(buildah, name, folder);
  const below = layersOf(buildah, base).length;
  const container = buildah.do("from", "--pull=never", name);
  const text = buildah.do("inspect", "--type", "image", name);
  return {
    rootfs: buildah.do("mount", container),
    config: imageSchema.parse(JSON.parse(text)).Docker.config,
    ownMb: sum(sizes.slice(below)),
    baseMb: sum(sizes.slice(0, below)),
    remove: () => void buildah.do("rm", container),
  };
}
