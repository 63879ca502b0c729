import type { Ollama } from "ollama/browser";
import { z } from "zod";

import type { Clock } from "#core/clock.ts";
import { AppError } from "#core/errors.ts";
import type { Fetch } from "#core/http.ts";

import { isCloudName } from "./cloud-name.ts";
import { within } from "./deadline.ts";
import { broken } from "./failures.ts";
import { pullRefusal, refusal } from "./ollama-failures.ts";
import { farPlace } from "./ollama-wire.ts";

/** An installed model as a host lists it. */
export interface Installed {
  readonly name: string;
  readonly sizeBytes: number;
  readonly tools: boolean;
  /** True when the host would only pass the words on to a cloud. */
  readonly remote: boolean;
}

/** Milliseconds that a running Ollama may take to list what it has. */
const answerMs = 3000;

const placeSchema = z.object({
  remote_model: z.string().optional(),
  remote_host: z.string().optional(),
});

const installedSchema = placeSchema.extend({
  name: z.string(),
  size: z.number().default(0),
});

const statusSchema = z.object({
  cloud: z.object({ disabled: z.boolean().default(false) }).default({ disabled: false }),
});

const progressSchema = z.object({
  status: z.string().default(""),
  digest: z.string().optional(),
  total: z.number().optional(),
  completed: z.number().optional(),
});

/** A step of a download. Bytes never go back; they are 0 until a layer is known. */
export interface PullProgress {
  readonly status: string;
  readonly completedBytes: number;
  readonly totalBytes: number;
}

/** What the program asks of an Ollama host besides answers. Everything rejects with an AppError. */
export interface OllamaHost {
  version(): Promise<string>;
  /** True when the host may pass words on to a cloud; undefined when it is too old to say. */
  cloudIsOn(): Promise<boolean | undefined>;
  installed(): Promise<Installed[]>;
  pull(model: string, signal: AbortSignal): AsyncIterable<PullProgress>;
}

interface Layer {
  readonly total: number;
  readonly completed: number;
}

type ClientFetch = typeof globalThis.fetch;

/** The package's client speaks through the door, so that a signal of ours reaches the server. */
function clientFetch(fetch: Fetch, signal?: AbortSignal): ClientFetch {
  return (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    return fetch(url, {
      method: init?.method ?? "GET",
      headers: Object.fromEntries(new Headers(init?.headers)),
      ...(typeof init?.body === "string" ? { body: init.body } : {}),
      ...(signal === undefined ? {} : { signal }),
    });
  };
}

const refusalSchema = z.object({ status_code: z.int(), error: z.string() });

/** What the host says of a pull that fails, mostly in the middle of its reports: that the package throws bare, and gives all else a name. */
function saidOfPull(error: unknown): string | undefined {
  const { status_code: status, error: said } = refusalSchema.safeParse(error).data ?? {};
  if (status !== undefined) return status === 400 || status >= 500 ? said : undefined;
  if (!(error instanceof Error) || error.name !== "Error") return undefined;
  return error.message.startsWith("Did not receive done") ? undefined : error.message;
}

async function* pullModel(client: Ollama, model: string): AsyncGenerator<PullProgress> {
  if (isCloudName(model)) {
    throw new AppError("model.refused", { model, problem: "it would not run on this machine." });
  }
  const layers = new Map<string, Layer>();
  try {
    for await (const raw of await client.pull({ model, stream: true })) {
      yield sumOf(layers, progressSchema.parse(raw));
    }
  } catch (error) {
    const sentence = saidOfPull(error);
    throw sentence === undefined ? error : pullRefusal(model, sentence);
  }
}

/** A model of the host's list; what runs elsewhere in truth is told by the list, or by the model's own description. */
async function describe(
  client: Ollama,
  model: z.infer<typeof installedSchema>,
): Promise<Installed> {
  const { name, size: sizeBytes } = model;
  const listed = { name, sizeBytes, tools: false, remote: true };
  if (isCloudName(name) || farPlace(model) !== undefined) return listed;
  const shown = await client.show({ model: name });
  const tools = shown.capabilities.includes("tools");
  return { ...listed, tools, remote: farPlace(placeSchema.parse(shown)) !== undefined };
}

/** A host that serves models by Ollama's API. */
export function createOllamaHost(options: {
  readonly url: string;
  readonly fetch: Fetch;
  /** The same for a pull, which the host answers with what it gets from a cloud. */
  readonly pulling: Fetch;
  readonly clock: Clock;
}): OllamaHost {
  const { url, fetch, pulling, clock } = options;

  /** The package is loaded when it is first used. */
  async function client(by = fetch, signal?: AbortSignal) {
    const { Ollama } = await import("ollama/browser");
    return new Ollama({ host: url, fetch: clientFetch(by, signal) });
  }

  function explain(error: unknown, model: string): AppError {
    const said = refusalSchema.safeParse(error).data;
    if (said !== undefined) return refusal({ model, host: url }, said.status_code, said.error);
    return broken({ model, host: url }, error);
  }

  async function asked<Result>(work: () => Promise<Result>, model = "Ollama"): Promise<Result> {
    try {
      return await within(clock, answerMs, work());
    } catch (error) {
      throw explain(error, model);
    }
  }

  return {
    async *pull(model, signal) {
      try {
        yield* pullModel(await client(pulling, signal), model);
      } catch (error) {
        throw signal.aborted ? signal.reason : explain(error, model);
      }
    },
    version: () => asked(async () => (await (await client()).version()).version),
    cloudIsOn: () =>
      asked(async () => {
        const response = await fetch(`${url}/api/status`);
        // What is left unread is not on its receipt.
        const text = await response.text();
        return response.ok ? !statusSchema.parse(JSON.parse(text)).cloud.disabled : undefined;
      }),
    installed: () =>
      asked(async () => {
        const own = await client();
        const { models } = await own.list();
        return Promise.all(models.map((model) => describe(own, installedSchema.parse(model))));
      }),
  };
}

/** Adds a report to what is known of each layer: layers come interleaved, and resumed ones start above zero. */
function sumOf(layers: Map<string, Layer>, report: z.infer<typeof progressSchema>): PullProgress {
  const { digest, total = 0, completed = 0, status } = report;
  if (digest !== undefined) {
    const before = layers.get(digest)?.completed ?? 0;
    layers.set(digest, { total, completed: Math.max(before, completed) });
  }
  const all = [...layers.values()];
  return {
    status,
    completedBytes: all.reduce((sum, layer) => sum + layer.completed, 0),
    totalBytes: all.reduce((sum, layer) => sum + layer.total, 0),
  };
}
