import { z } from "zod";

import { tierNames } from "./route.ts";

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.:_-]{0,63}$/i, "must be letters, digits and . : _ - (at most 64)");

/** Ollama's own OLLAMA_HOST may lack scheme and port, and 0.0.0.0 is where it listens, not where it is reached. */
function ollamaUrl(text: string): string {
  const address = /^https?:\/\//.test(text) ? text : `http://${text}`;
  const port =
    /^https?:\/\/(\[[^\]]*\]|[^:/]*)(:\d+)/.test(address) || address.startsWith("https:");
  const withPort = port ? address : address.replace(/^(http:\/\/[^/]*)/, "$1:11434");
  return withPort.replace("//0.0.0.0:", "//127.0.0.1:");
}

function httpUrl(example: string) {
  // What is no address ends the check: no rule about the settings together could read it.
  const error = `must be an address such as ${example}`;
  return z.url({ protocol: /^https?$/, error, abort: true });
}

const hour = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "must be a time such as 07:30");

function seconds(usual: number) {
  return z.int().min(1).max(86_400).default(usual);
}

/** What a host that answers over HTTP may take. */
function limitsOfHost(usual: { readonly connect: number; readonly first: number }) {
  return {
    /** Seconds until the connection stands. */
    connect_seconds: seconds(usual.connect),
    /** Seconds until the first token; a cold model is read from disk first. */
    first_token_seconds: seconds(usual.first),
    /** Seconds of silence within an answer. */
    idle_seconds: seconds(30),
    /** Seconds of one answer in all. */
    total_seconds: seconds(1800),
    /** Requests that are worked at once; absent is one at home, and eight of a service. */
    max_parallel: z.int().min(1).max(1000).optional(),
  };
}

const ollamaHost = z.strictObject({
  kind: z.literal("ollama"),
  url: z.string().transform(ollamaUrl).pipe(httpUrl("http://127.0.0.1:11434")),
  ...limitsOfHost({ connect: 2, first: 120 }),
  /** Seconds until the first token where the model is not loaded yet. */
  load_seconds: seconds(300),
  /** How long the model stays loaded after an answer, as Ollama writes it. */
  keep_alive: z.string().min(1).default("10m"),
  /** When its owner is usually there, by this machine's clock: the model is loaded before it is asked, and stays for longer. */
  active_hours: z
    .strictObject({ from: hour, to: hour, keep_alive: z.string().min(1).default("1h") })
    .nullable()
    .default(null),
  /** Options of Ollama's runner, such as num_gpu or num_thread: always the same, since any change loads the model anew. */
  options: z.record(z.string(), z.union([z.number(), z.boolean()])).default({}),
});

const scriptedHost = z.strictObject({
  kind: z.literal("scripted"),
  /** A file of replies, relative to the home. */
  script: z.string().min(1),
  max_parallel: z.int().min(1).max(1000).optional(),
});

const secretName = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]{0,63}$/, "must be the name of a key, such as OPENAI_API_KEY");

const anthropicHost = z.strictObject({
  kind: z.literal("anthropic"),
  url: z
    .string()
    .default("https://api.anthropic.com")
    .transform((text) => text.replace(/\/+$/, "").replace(/\/v1(\/messages)?$/, ""))
    .pipe(httpUrl("https://api.anthropic.com")),
  /** The name of the key in the environment or .env; never the key itself. */
  key: secretName.default("ANTHROPIC_API_KEY"),
  ...limitsOfHost({ connect: 5, first: 20 }),
});

const openaiHost = z.strictObject({
  kind: z.literal("openai"),
  /** The base address, to which /chat/completions is added. */
  url: z
    .string()
    .transform((text) => text.replace(/\/+$/, "").replace(/\/chat\/completions$/, ""))
    .pipe(httpUrl("http://127.0.0.1:1234/v1")),
  /** The name of the key in the environment or .env; absent where the server wants none. */
  key: secretName.optional(),
  ...limitsOfHost({ connect: 5, first: 60 }),
  /** Where a server differs; absent is what is known of its address. */
  quirks: z
    .strictObject({
      /** How the server calls the most tokens of an answer. */
      answer_limit: z.enum(["max_tokens", "max_completion_tokens"]).optional(),
      /** False where the server refuses to be told a temperature. */
      temperature: z.boolean().optional(),
      /** False where the server refuses to be asked for token counts. */
      stream_usage: z.boolean().optional(),
    })
    .default({}),
});

/** US dollars for a million tokens. */
const price = z.strictObject({
  input: z.number().min(0),
  output: z.number().min(0),
  /** Read from a cache, and written to it; absent is as `input`. */
  cache_read: z.number().min(0).optional(),
  cache_write: z.number().min(0).optional(),
});

const deployment = z.strictObject({
  /** A key of `hosts`. */
  host: name,
  model: z.string().min(1),
  /** Tokens of prompt and answer together. */
  context: z.int().min(512).max(2_000_000).default(8192),
  /** Most tokens of an answer. */
  max_answer: z.int().min(16).max(200_000).default(2048),
  tools: z.boolean().default(true),
  /** Where two of a tier would answer equally soon, the heavier one is taken. */
  weight: z.number().min(0).max(1000).default(1),
  price: price.optional(),
});

/** Each entry is a deployment, or a list of some that are equally good: the one that will answer soonest is taken. */
const tierList = z.array(z.union([name, z.array(name).min(1)])).default([]);

const reach = z.array(z.enum(["local", "lan", "cloud"]));

const dollars = z.number().min(0).max(1_000_000);

/** Caps in US dollars; null is none. */
const caps = z.strictObject({
  day: dollars.nullable().optional(),
  month: dollars.nullable().optional(),
});

/** The schema of config/models.yaml without its rows of embedded models, which the models part defines. */
export const modelSettingsSchema = z.strictObject({
  use: name.nullable().default(null),
  cloud: z.enum(["never", "when-asked", "fallback"]).default("never"),
  hosts: z
    .record(
      name,
      z.discriminatedUnion("kind", [ollamaHost, scriptedHost, anthropicHost, openaiHost]),
    )
    .default({}),
  deployments: z.record(name, deployment).default({}),
  policy: z
    .strictObject({
      public: reach.default(["local", "lan", "cloud"]),
      personal: reach.default(["local", "lan"]),
      secret: reach.default(["local"]),
    })
    .prefault({}),
  budgets: caps
    .extend({
      day: dollars.nullable().default(1),
      month: dollars.nullable().default(10),
      deployments: z.record(name, caps).default({}),
      agents: z.record(z.string(), caps).default({}),
      chats: z.record(z.string(), caps).default({}),
    })
    .prefault({}),
  tiers: z
    .strictObject({ "local-fast": tierList, "local-smart": tierList, "cloud-smart": tierList })
    .refine((tiers) => tierNames.every((tier) => tier in tiers)),
});

/** The schema of config/log.yaml. */
export const logSettingsSchema = z.strictObject({
  /** Days that a file is kept. */
  keep_days: z.int().min(1).max(3650).default(14),
  /** Megabytes after which a day's next file begins. */
  file_megabytes: z.int().min(1).max(1000).default(10),
});

/** An address of a proxy: where it is, and neither who asks nor for what. */
function isBareOrigin(text: string): boolean {
  const { username, password, pathname, search } = new URL(text);
  return username === "" && password === "" && pathname === "/" && search === "";
}

/** The schema of config/privacy.yaml. */
export const privacySettingsSchema = z.strictObject({
  /** A proxy for all that goes beyond the home network; null is none. */
  proxy: httpUrl("http://proxy.home.arpa:3128")
    .refine(isBareOrigin, {
      error:
        "must be an address alone, such as http://proxy.home.arpa:3128; who asks goes to proxy_login",
    })
    .transform((text) => new URL(text).origin)
    .nullable()
    .default(null),
  /** The name of the secret that holds what the proxy wants, as name:password; null where it wants nothing. */
  proxy_login: secretName.nullable().default(null),
});

const chatAllow = z.enum(["nobody", "owner", "people"]);

/** What holds in a group: who may talk to the agent, and whether it answers what is meant for it or all that they say. */
const chatPolicy = z.union(
  [
    chatAllow.transform((allow) => ({ allow, answer: "addressed" as const })),
    z.strictObject({
      allow: chatAllow,
      answer: z.enum(["addressed", "all"]).default("addressed"),
    }),
  ],
  {
    error:
      "must be nobody, owner or people, or both keys as in { allow: people, answer: all } (answer is addressed or all)",
  },
);

/** The schema of config/bots.yaml. */
export const botSettingsSchema = z.strictObject({
  telegram: z
    .strictObject({
      /** Where the Bot API is; another address for a server of one's own. */
      api_root: z
        .string()
        .transform((text) => text.replace(/\/+$/, ""))
        .pipe(httpUrl("https://api.telegram.org"))
        .default("https://api.telegram.org"),
      /** Numbers on Telegram that are the owner's without pairing. */
      owners: z
        .array(z.int("must be a number such as 123456789, without quotes").positive())
        .default([]),
      /** Reactions as a sign that a message was seen. */
      receipts: z.boolean().default(true),
      /** Answers with headings, lists and tables, where Telegram can show them. */
      rich: z.boolean().default(true),
      /** What holds in a group, by its number; a group that is not named is closed. */
      chats: z
        .record(
          z.string().regex(/^-\d{1,20}$/, "must be a group's number, such as -1001234567890"),
          chatPolicy,
        )
        .default({}),
    })
    .prefault({}),
  files: z
    .strictObject({
      /** The largest file that is taken from a chat. */
      most_megabytes: z.int().min(1).max(2000).default(20),
    })
    .prefault({}),
});

/** The settings of config/models.yaml. */
export type ModelSettings = z.infer<typeof modelSettingsSchema>;

/** A machine, or a service, that serves models. */
export type HostSettings = ModelSettings["hosts"][string];

/** A model on a host. */
export type DeploymentSettings = ModelSettings["deployments"][string];

/** The settings of config/bots.yaml. */
export type BotSettings = z.infer<typeof botSettingsSchema>;

/** What holds in one group. */
export type ChatPolicy = z.infer<typeof chatPolicy>;
