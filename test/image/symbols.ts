import { globSync } from "node:fs";
import path from "node:path";

import { must } from "./commands.ts";

const named = /\b(?:GLIBC|GLIBCXX|CXXABI|GCC)_\d[\d.]*\b/g;

/** The parts of readelf's version listing: what a file defines for others, and what it needs of them. */
function versions(file: string): { readonly defined: Set<string>; readonly needed: Set<string> } {
  const listing = must("readelf", ["--version-info", "--wide", file]);
  const sections = listing.split(/^Version (?=definition|needs|symbols)/m);
  const of = (kind: string): Set<string> =>
    new Set(
      sections.filter((part) => part.startsWith(kind)).flatMap((part) => part.match(named) ?? []),
    );
  return { defined: of("definition"), needed: of("needs") };
}

function compare(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

/** What an addon needs at most of each library, and what of it a system lacks. */
export interface Floor {
  readonly file: string;
  readonly highest: string;
  readonly lacking: readonly string[];
}

/** Every glibc addon of `app` for this architecture against the libraries of `rootfs`. */
export function floors(app: string, rootfs: string, arch: "x64" | "arm64"): Floor[] {
  const triplet = arch === "x64" ? "x86_64-linux-gnu" : "aarch64-linux-gnu";
  const libraries = ["libc.so.6", "libm.so.6", "libstdc++.so.6", "libgcc_s.so.1"].flatMap((name) =>
    globSync(path.join(rootfs, `{lib,usr/lib}/${triplet}/${name}`)),
  );
  const offered = new Set(libraries.flatMap((file) => [...versions(file).defined]));
  const addons = globSync(path.join(app, "node_modules/**/*.node"));
  return addons
    .filter((file) => path.basename(file).includes(arch))
    .map((file) => {
      const needed = [...versions(file).needed].toSorted(compare);
      const last = (family: string): string =>
        needed.findLast((name) => name.startsWith(`${family}_`)) ?? "";
      return {
        file: path.basename(file),
        highest: `${last("GLIBC")} ${last("GLIBCXX")}`.trim(),
        lacking: needed.filter((name) => !offered.has(name)),
      };
    });
}
