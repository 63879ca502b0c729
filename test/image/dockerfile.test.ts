import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";

import { trustOf } from "../../src/core/trust.ts";

const root = path.join(import.meta.dirname, "../..");
const read = (name: string): string => readFileSync(path.join(root, name), "utf8");

/** The instructions of a Dockerfile, each on one line, without comments. */
function instructions(text: string): string[] {
  const bare = text.replaceAll(/^\s*#.*\n/gm, "").replaceAll(/\\\n\s*/g, " ");
  return bare.split("\n").filter((line) => line.trim() !== "");
}

/** Every rule of the house that these instructions break. */
function broken(text: string): string[] {
  const lines = instructions(text);
  const all = (word: string): string[] => lines.filter((line) => line.startsWith(`${word} `));
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith("FROM ")));
  const has = (pattern: RegExp, within = lines): boolean =>
    within.some((line) => pattern.test(line));
  const rules: Readonly<Record<string, boolean>> = {
    "the base is an argument, given before every stage":
      /^ARG BASE=node:24-slim$/.test(lines[0] ?? "") &&
      all("FROM").every((line) => /^FROM \$\{BASE\}( AS \w+)?$/.test(line)),
    "it has two stages": all("FROM").length === 2,
    "scripts are off, and development is left out": all("RUN")
      .filter((line) => /\bnpm\b/.test(line))
      .every(
        (line) =>
          /\bnpm ci\b/.test(line) && /--ignore-scripts/.test(line) && /--omit=dev/.test(line),
      ),
    "npm is only in the first stage": !has(/\bnpm (ci|install)\b/, last),
    "the user is no root, by argument":
      has(/^ARG UID=1000$/, last) &&
      has(/^ARG GID=1000$/, last) &&
      has(/^USER \$\{UID\}:\$\{GID\}$/, last),
    "no root after the user": all("USER").every((line) => !/\b(root|0)\b/.test(line)),
    "the health check is a list": has(/^HEALTHCHECK .*CMD \["node", "[^"]+"(, "[^"]+")+\]$/, last),
    "entry point and command are lists": has(/^ENTRYPOINT \[/, last) && has(/^CMD \[/, last),
    "the data are a volume": has(/^VOLUME \/data$/, last),
    "nothing is downloaded but by npm": !has(/\b(curl|wget|apt-get|ADD)\b/),
    "no secret is in it": !has(/(TOKEN|SECRET|PASSWORD|API_KEY|_authToken)/i),
    "no setting of one site is in it": !has(/(https?:\/\/|registry|proxy|cafile|certificates)/i),
  };
  return Object.keys(rules).filter((rule) => rules[rule] !== true);
}

describe("the Dockerfile", () => {
  test("keeps every rule", () => {
    expect(broken(read("Dockerfile"))).toEqual([]);
  });

  test.each([
    ["FROM ${BASE}\n", "FROM node:24\n", "the base is an argument, given before every stage"],
    [" --ignore-scripts", "", "scripts are off, and development is left out"],
    ["USER ${UID}:${GID}", "USER root", "no root after the user"],
    [
      'CMD ["node", "/app/agent.js", "status"]',
      "CMD node /app/agent.js status",
      "the health check is a list",
    ],
    ["VOLUME /data", "RUN wget example.com", "nothing is downloaded but by npm"],
    ["ENV ", "ENV TELEGRAM_TOKEN=1 ", "no secret is in it"],
    ["ENV ", "ENV NPM_CONFIG_REGISTRY=x ", "no setting of one site is in it"],
  ])("with %j in place of %j it breaks one", (from, to, rule) => {
    expect(broken(read("Dockerfile").replace(from, to))).toContain(rule);
  });

  test("takes in only what .dockerignore lets through, and all that the program is", () => {
    const wanted = read(".dockerignore")
      .split("\n")
      .filter((line) => line.startsWith("!"))
      .map((line) => line.slice(1));
    const copied = instructions(read("Dockerfile"))
      .filter((line) => /^COPY (?!--from)/.test(line))
      .flatMap((line) => line.split(" ").slice(1, -1));
    expect(new Set(copied)).toEqual(new Set(wanted));
    expect(read(".dockerignore").split("\n")).toContain("*");
    const packed = z.object({ files: z.array(z.string()).default([]) });
    const { files } = packed.parse(JSON.parse(read("package.json")));
    // The package has dist in place of src, and says what it leaves out.
    const program = files
      .filter((name) => !name.startsWith("!"))
      .map((name) => name.replace(/\/.*$/, "").replace(/^dist$/, "src"));
    expect(wanted).toEqual(expect.arrayContaining(program));
  });

  test("keeps addons that are there, and no other system's", () => {
    const prebuilt = readdirSync(path.join(root, "node_modules/better-sqlite3/prebuilds"));
    const kept = prebuilt.filter((name) => /^linux-.*\.node$/.test(name));
    expect(kept.toSorted()).toEqual(["linux-arm64.node", "linux-x64.node"]);
    expect(read("Dockerfile")).toContain('! -name "linux-*.node" -delete');
  });
});

// Strict, so that a port, a privilege or a network of the machine's is refused like any other key nobody thought of.
const serviceSchema = z.strictObject({
  image: z.string(),
  build: z.object({ context: z.literal("."), args: z.record(z.string(), z.string()) }).optional(),
  restart: z.literal("unless-stopped"),
  extra_hosts: z.array(z.literal("host.home.arpa:host-gateway")).optional(),
  profiles: z.array(z.string()).optional(),
  user: z.string().optional(),
  init: z.boolean().optional(),
  read_only: z.boolean().optional(),
  tmpfs: z.array(z.string()).optional(),
  cap_drop: z.array(z.string()),
  security_opt: z.array(z.string()),
  pids_limit: z.int(),
  mem_limit: z.string(),
  stop_grace_period: z.string().optional(),
  volumes: z.array(z.string()),
  environment: z.record(z.string(), z.string()),
  depends_on: z
    .record(z.string(), z.object({ condition: z.string(), required: z.boolean() }))
    .optional(),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
  networks: z.object({ default: z.object({ aliases: z.array(z.string()) }) }).optional(),
});

const { services } = z
  .object({ services: z.object({ agent: serviceSchema, ollama: serviceSchema }) })
  .parse(parse(read("compose.yaml")));

describe("the compose file", () => {
  test("walls the agent in", () => {
    expect(services.agent).toMatchObject({
      user: "${AGENT_UID:-1000}:${AGENT_GID:-1000}",
      init: true,
      read_only: true,
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
      stop_grace_period: "30s",
      volumes: ["agent-data:/data"],
    });
    expect(services.agent.tmpfs).toEqual([expect.stringMatching(/^\/tmp:/)]);
  });

  test("starts the agent alone, and with the profile only after Ollama is healthy", () => {
    expect(services.agent.profiles).toBeUndefined();
    expect(services.ollama.profiles).toEqual(["ollama"]);
    expect(services.agent.depends_on).toEqual({
      ollama: { condition: "service_healthy", required: false },
    });
    expect(services.ollama.healthcheck?.test).toEqual(["CMD", "ollama", "list"]);
  });

  test("walls Ollama in, keeps its models and shuts its cloud", () => {
    expect(services.ollama).toMatchObject({
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
      volumes: ["ollama-models:/root/.ollama"],
      environment: { OLLAMA_NO_CLOUD: "1" },
    });
  });

  test("calls Ollama by a name that the program trusts as one of the home network", () => {
    const [, url = ""] = /:-(.*)\}$/.exec(services.agent.environment["OLLAMA_HOST"] ?? "") ?? [];
    const { hostname } = new URL(url);
    expect(services.ollama.networks?.default.aliases).toContain(hostname);
    expect(trustOf(hostname)).toBe("lan");
  });

  test("gives a GPU to Ollama alone, in a file of its own", () => {
    const gpu = z.object({ services: z.record(z.string(), z.object({ deploy: z.unknown() })) });
    expect(Object.keys(gpu.parse(parse(read("compose.gpu.yaml"))).services)).toEqual(["ollama"]);
  });
});

const analyser = spawnSync("systemd-analyze", ["--version"]).status === 0;

describe("the systemd unit", () => {
  test("notifies, is watched, and leaves V8 its memory", () => {
    const unit = read("systemd/agent.service").split("\n");
    expect(unit).toEqual(
      expect.arrayContaining(["Type=notify", "NotifyAccess=all", "WatchdogSec=60"]),
    );
    expect(unit.filter((line) => line.startsWith("MemoryDenyWriteExecute"))).toEqual([]);
  });

  test.skipIf(!analyser)("is exposed by 2.0 at most, as systemd itself measures it", () => {
    const args = [
      "security",
      "--offline=true",
      "--no-pager",
      path.join(root, "systemd/agent.service"),
    ];
    const { stdout } = spawnSync("systemd-analyze", args, { encoding: "utf8" });
    const [, level] = /exposure level for agent\.service: ([\d.]+)/.exec(stdout) ?? [];
    expect(Number(level)).toBeLessThanOrEqual(2);
  });
});
