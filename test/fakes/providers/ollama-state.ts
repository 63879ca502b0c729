import type { IncomingMessage, ServerResponse } from "node:http";

import { z } from "zod";

import { bodyOf } from "../play.ts";

/** What an Ollama says of itself; what is left out is as usual. */
export interface OllamaState {
  /** What each installed model's entry says besides its name; names that are missing are not installed. */
  readonly tags?: () => Readonly<Record<string, object>>;
  /** What /api/show says of a model. */
  readonly show?: (model: string) => object;
  /** Names of the models that are loaded. */
  readonly loaded?: () => readonly string[];
  /** The lines of a download; a list that ends otherwise than with "success" has failed. */
  readonly pull?: (model: string) => readonly object[];
}

const named = z.object({ model: z.string().optional(), name: z.string().optional() });

/** Answers everything of Ollama's API but /api/chat; without a state every scripted model is installed and loaded. */
export async function answerOllama(
  request: IncomingMessage,
  response: ServerResponse,
  state: OllamaState & { readonly names: readonly string[] },
): Promise<void> {
  const { names, tags, show, loaded = () => names } = state;
  const send = (value: object, status = 200): void => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(value));
  };
  const answers: Readonly<Record<string, () => Promise<void> | void>> = {
    "/api/tags": () => send({ models: listed(tags?.() ?? plain(names)) }),
    "/api/ps": () => send({ models: listed(plain(loaded()), running) }),
    "/api/version": () => send({ version: "0.40.0" }),
    "/api/status": () => send({ cloud: { disabled: true } }),
    "/api/pull": () => pull(request, response, state),
    "/api/show": async () => {
      const { model, name = "" } = named.parse(await bodyOf(request));
      send({ capabilities: ["completion", "tools"], ...show?.(model ?? name) });
    },
  };
  const answer = answers[request.url ?? ""];
  if (answer === undefined) send({ error: "not found" }, 404);
  else await answer();
}

const running = { size_vram: 1000, context_length: 8192, expires_at: "2126-01-01T00:00:00Z" };

function plain(names: readonly string[]): Readonly<Record<string, object>> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

function listed(models: Readonly<Record<string, object>>, all: object = {}): object[] {
  return Object.entries(models).map(([name, own]) => ({
    name,
    model: name,
    size: 1000,
    ...all,
    ...own,
  }));
}

async function pull(
  request: IncomingMessage,
  response: ServerResponse,
  state: OllamaState,
): Promise<void> {
  const { model, name } = named.parse(await bodyOf(request));
  const lines = state.pull?.(model ?? name ?? "") ?? [{ status: "success" }];
  for (const line of lines) response.write(`${JSON.stringify(line)}\n`);
  response.end();
}
