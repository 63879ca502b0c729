import { z } from "zod";

import { tierNames } from "./router.ts";

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
  return z.url({ protocol: /^https?$/, error: `must be an address such as ${example}` });
}

const ollamaHost = z.strictObject({
  kind: z.literal("ollama"),
  url: z
    .string()
    .transform(ollamaUrl)
    .pipe(z.url({ error: "must be an address such as http://127.0.0.1:11434" })),
  /** Seconds until the first token; a cold model is read from disk first. */
  first_token_seconds: z.int().min(1).max(3600).default(120),
  /** Seconds of silence within an answer. */
  idle_seconds: z.int().min(1).max(3600).default(60),
  /** How long the model stays loaded after an answer, as Ollama writes it. */
  keep_alive: z.string().min(1).default("10m"),
});

const scriptedHost = z.strictObject({
  kind: z.literal("scripted"),
  /** A file of replies, relative to the home. */
  script: z.string().min(1),
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
  /** Seconds until the answer begins. */
  first_token_seconds: z.int().min(1).max(3600).default(120),
  /** Seconds of silence within an answer. */
  idle_seconds: z.int().min(1).max(3600).default(60),
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
  /** Seconds until the answer begins; a cold model is read from disk first. */
  first_token_seconds: z.int().min(1).max(3600).default(120),
  /** Seconds of silence within an answer. */
  idle_seconds: z.int().min(1).max(3600).default(60),
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

const deployment = z.strictObject({
  /** A key of `hosts`. */
  host: name,
  model: z.string().min(1),
  /** Tokens of prompt and answer together. */
  context: z.int().min(512).max(2_000_000).default(8192),
  /** Most tokens of an answer. */
  max_answer: z.int().min(16).max(200_000).default(2048),
  tools: z.boolean().default(true),
});

const tierList = z.array(name).default([]);

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
