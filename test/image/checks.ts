import { chmodSync, chownSync, mkdtempSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { z } from "zod";

import { type Figure, figure } from "../../bench/result.ts";

import { agentOnArm64, openDatabaseOnArm64 } from "./arm64.ts";
import { agentIn, type Box, runAsRootIn, runIn, startService } from "./box.ts";
import type { Image } from "./build.ts";
import { must, type Ran } from "./commands.ts";
import { floors } from "./symbols.ts";

/** Milliseconds that a container may take from its start to its first healthy answer. */
const healthyMs = 15_000;
/** Milliseconds that an idle one may take from SIGTERM to its end. */
const stopMs = 10_000;
const answer = "Code in the moonlight.";

/** A figure that must be this word; what was seen in its place is told. */
function word(name: string, seen: string, wanted: string): Figure {
  return { name, value: seen.slice(0, 250), bound: { words: wanted, holds: seen === wanted } };
}

function said({ code, stdout, stderr }: Ran): string {
  return `exit ${code}: ${`${stdout}\n${stderr}`.trim()}`;
}

/** What a run printed when it ended well; else how it ended. */
function printed(ran: Ran): string {
  return ran.code === 0 && ran.stderr === "" ? ran.stdout.trim() : said(ran);
}

/** An empty volume that belongs to these ids. */
function volume(folder: string, uid: number, gid: number): string {
  const data = mkdtempSync(path.join(folder, "data-"));
  chownSync(data, uid, gid);
  return data;
}

/** A folder of settings by which a scripted model answers everything. */
function settings(folder: string): string {
  const config = mkdtempSync(path.join(folder, "config-"));
  chmodSync(config, 0o755);
  const models = `use: script
hosts: { here: { kind: scripted, script: config/script.yaml } }
deployments: { script: { host: here, model: script } }
`;
  writeFileSync(path.join(config, "models.local.yaml"), models);
  writeFileSync(path.join(config, "script.yaml"), `scenes: [{ replies: [{ text: "${answer}" }] }]`);
  return config;
}

/** What the image says of itself. */
export function imageFigures({ ownMb, baseMb, config }: Image): Figure[] {
  const { User, Healthcheck, Entrypoint, Cmd, Volumes } = config;
  return [
    figure("own layers MB", ownMb, 120),
    figure("base layers MB", baseMb),
    word("user", User, "1000:1000"),
    word(
      "health check command",
      JSON.stringify(Healthcheck?.Test ?? []),
      '["CMD","node","/app/agent.js","status"]',
    ),
    word("command", [...Entrypoint, ...Cmd].join(" "), "node /app/agent.js serve"),
    word("volumes", Object.keys(Volumes).join(" "), "/data"),
  ];
}

const probe = `
  const { readFileSync, writeFileSync } = require("node:fs");
  const status = readFileSync("/proc/1/status", "utf8");
  const masks = status.match(/^Cap(Prm|Eff|Bnd|Amb):.*$/gm).map((line) => line.split(/\\s+/)[1]);
  const codes = ["/x", "/app/x", "/app/src/x", "/etc/x", "/usr/x", "/var/x", "/home/x"].map((file) => {
    try { writeFileSync(file, ""); return "written"; } catch (error) { return error.code; }
  });
  const writable = ["/data/x", "/tmp/x"].map((file) => { writeFileSync(file, ""); return "written"; });
  console.log(JSON.stringify({ uid: process.getuid(), masks, codes, writable }));
`;

const probed = z.object({ uid: z.int(), masks: z.array(z.string()), codes: z.array(z.string()) });

/** That the walls of the check are walls: without them the other figures would say little. */
export function wallFigures(image: Image, folder: string): Figure[] {
  const ran = runIn({ image, data: volume(folder, 1000, 1000) }, ["node", "--eval", probe]);
  if (ran.code !== 0) return [word("walls", said(ran), "stand")];
  const { uid, masks, codes } = probed.parse(JSON.parse(ran.stdout));
  return [
    word("uid inside", String(uid), "1000"),
    word("capabilities", [...new Set(masks)].join(" "), "0000000000000000"),
    word("writing outside /data and /tmp", [...new Set(codes)].join(" "), "EROFS"),
  ];
}

const checksSchema = z.array(z.object({ name: z.string(), state: z.string(), reason: z.string() }));

function doctorFigure(box: Box): Figure {
  const ran = agentIn(box, "doctor", "--json");
  const failed = checksSchema
    .parse(ran.code === 0 ? JSON.parse(ran.stdout) : [])
    .filter(({ state }) => state === "failed");
  const seen =
    ran.code === 0 ? failed.map(({ name, reason }) => `${name}: ${reason}`) : [said(ran)];
  return word("doctor finds failed", seen.join("; ") || "nothing", "nothing");
}

/** The program's one-shot commands, with a model of a mounted folder and the store in the volume. */
export function programFigures(image: Image, folder: string, version: string): Figure[] {
  const data = volume(folder, 1000, 1000);
  const box: Box = { image, data, readable: { [settings(folder)]: "/data/config" } };
  const figures = [
    word("agent --version", printed(runIn(box, ["agent", "--version"])), version),
    word("a scripted answer", printed(agentIn(box, "Write a haiku about coding")), answer),
    doctorFigure(box),
  ];
  const history = agentIn(box, "history", "--json");
  const kept = history.code === 0 && history.stdout.includes(answer) ? "in /data" : said(history);
  const owner = statSync(path.join(data, "workspace/state/agent.db")).uid;
  return [
    ...figures,
    word("what it remembers", kept, "in /data"),
    word("its owner", String(owner), "1000"),
  ];
}

/** The image as it is meant to run: healthy after its start, answering, and ended by SIGTERM. */
export async function serviceFigures(image: Image, folder: string): Promise<Figure[]> {
  const readable = { [settings(folder)]: "/data/config" };
  const box = { image, data: volume(folder, 1000, 1000), readable };
  const check = image.config.Healthcheck?.Test.slice(1) ?? [];
  const service = await startService(box);
  const started = performance.now();
  const passed = (): number => performance.now() - started;
  let health = service.exec(check);
  while (health.code !== 0 && service.child.exitCode === null && passed() < healthyMs) {
    await pause(200);
    health = service.exec(check);
  }
  const tookMs = passed();
  const answered = service.exec(["agent", "Write a haiku about coding"]);
  const stopping = performance.now();
  const code = await service.stop();
  const tookToStopMs = performance.now() - stopping;
  const seen = health.code === 0 ? "passes" : `${said(health)}; ${await service.output}`;
  const after = runIn(box, check);
  return [
    word("health check", seen, "passes"),
    figure("ms until healthy", tookMs, healthyMs),
    word("an answer of the service", printed(answered), answer),
    word("exit code after SIGTERM", String(code), "0"),
    figure("ms from SIGTERM to its end", tookToStopMs, stopMs),
    word("health check when it is stopped", after.code === 0 ? "passes" : "fails", "fails"),
  ];
}

/** A volume that another owns: the one line names a command, and that command mends it. */
function ownerFigure(name: string, box: Box): Figure {
  must("chown", ["-R", "12345:12345", box.data]);
  const { Entrypoint, Cmd } = box.image.config;
  const ran = runIn(box, [...Entrypoint, ...Cmd]);
  const line = ran.stderr.trim();
  const command = /--entrypoint chown agent (-R 1000:1000 \/data), or/.exec(line)?.[1];
  const told = ran.code === 3 && !line.includes("\n") && line.includes("belongs to 12345:12345");
  if (!told || command === undefined)
    return word(name, said(ran), "one line, and its command mends");
  const mended = ["chown", ...command.split(" ")];
  const chown = runAsRootIn(box, ["CAP_CHOWN", "CAP_DAC_OVERRIDE"], mended);
  const again = agentIn(box, "stats");
  const mends = chown.code === 0 && again.code === 0;
  const seen = mends ? "one line, and its command mends" : `${said(chown)} ${said(again)}`;
  return word(name, seen, "one line, and its command mends");
}

/** New volumes with the wrong owner, closed and open to read, and one that was used under other ids. */
export function ownerFigures(image: Image, folder: string): Figure[] {
  const closed = { image, data: volume(folder, 1000, 1000) };
  const open = { image, data: volume(folder, 1000, 1000) };
  chmodSync(open.data, 0o755);
  const used = { image, data: volume(folder, 1000, 1000) };
  chmodSync(used.data, 0o755);
  const first = agentIn(used, "stats");
  return [
    ownerFigure("a closed volume of another's", closed),
    ownerFigure("an open volume of another's", open),
    first.code === 0
      ? ownerFigure("a used volume of another's", used)
      : word("use", said(first), ""),
  ];
}

/** What the addons need of a system's libraries, against those of the base. */
export function symbolFigures(image: Image, arm64: string): Figure[] {
  const app = path.join(image.rootfs, "app");
  const all = [...floors(app, image.rootfs, "x64"), ...floors(app, arm64, "arm64")];
  return [
    word(
      "addons for glibc",
      all.map(({ file }) => file).join(" "),
      "linux-x64.node linux-arm64.node",
    ),
    ...all.map(({ file, highest, lacking }): Figure => ({
      name: `${file} needs`,
      value: [highest, ...lacking.map((name) => `${name} is not there`)].join(", "),
      bound: { words: "what the base has", holds: lacking.length === 0 },
    })),
  ];
}

/** The addons and the whole program on an emulated arm64. */
export function arm64Figures(image: Image, folder: string, arm64: string): Figure[] {
  const data = mkdtempSync(path.join(folder, "arm64-"));
  const box: Box = { image, data, readable: { [settings(data)]: "/data/config" } };
  return [
    word("a database on arm64 holds", printed(openDatabaseOnArm64(arm64, box)), "arm64"),
    word("a scripted answer on arm64", printed(agentOnArm64(arm64, box, "hello")), answer),
  ];
}
