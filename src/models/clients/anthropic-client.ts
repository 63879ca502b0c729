import { z } from "zod";

import type { Clock } from "#core/clock.ts";
import type { AppError } from "#core/errors.ts";
import type { Fetch, FetchInit } from "#core/http.ts";
import type { ModelRequest } from "#core/model.ts";

import { messageBody } from "./anthropic-wire.ts";
import { watched, within } from "./deadline.ts";
import { secretOf, type Service, type ServiceOptions, wrongAddress } from "./service.ts";
import { refusedBy, retryAfter } from "./service-failures.ts";

/** Longer than any deadline of ours, and as long as a timer can be. */
const noTimeoutMs = 2_000_000_000;

const quiet = { error() {}, warn() {}, info() {}, debug() {} };

/** What goes out: not the package's own report of this machine, nor a header that the environment names. */
const sentHeaders = ["accept", "content-type", "anthropic-version"];

function sentInit(service: Service, init: RequestInit): FetchInit {
  const given = new Headers(init.headers);
  const headers: Record<string, string> = {};
  for (const name of sentHeaders) {
    const value = given.get(name);
    if (value !== null) headers[name] = value;
  }
  const secret = secretOf(service);
  if (secret !== undefined) headers["x-api-key"] = secret.reveal();
  const { method = "GET", body, signal } = init;
  return {
    method,
    headers,
    ...(typeof body === "string" ? { body } : {}),
    ...(signal == null ? {} : { signal }),
  };
}

/** The package is handed no key and no deadline: both are applied here, where its requests leave. */
function clientFetch(
  options: ServiceOptions,
  fetch: Fetch,
  onFailure: (error: unknown) => void,
): typeof globalThis.fetch {
  const { service, clock, firstTokenMs, idleMs } = options;

  async function send(url: string, init: RequestInit): Promise<Response> {
    const response = await fetch(url, sentInit(service, init));
    const { status, headers, body, ok } = response;
    const type = headers.get("content-type") ?? "";
    if (type.includes("html")) throw wrongAddress(service, "it answers with a web page");
    if (!ok || body === null) return response;
    if (!type.startsWith("text/event-stream")) {
      throw wrongAddress(service, "it answers with no stream of events");
    }
    // Watched here and not by event, since the package swallows the pings that say "still at work".
    const live = watched(clock, body, { firstMs: firstTokenMs, idleMs });
    return new Response(ReadableStream.from(live), { status, headers });
  }

  return async (input, init) => {
    try {
      return await send(input instanceof Request ? input.url : String(input), init ?? {});
    } catch (error) {
      onFailure(error);
      throw error;
    }
  };
}

const apiErrorSchema = z.object({
  status: z.int().optional(),
  type: z.string().nullish(),
  errorCode: z.string().nullish(),
  apiMessage: z.string().nullish(),
  error: z.unknown(),
  headers: z.custom<Headers>((value) => value instanceof Object && "get" in value).optional(),
});

/** What the package's error means; undefined when it is not an answer of the service. */
function refusalOf(service: Service, clock: Clock, error: unknown): AppError | undefined {
  if (!(error instanceof Error) || !("apiMessage" in error)) return undefined;
  const said = apiErrorSchema.safeParse(error).data;
  if (said === undefined || (said.status === undefined && said.error === undefined)) {
    return undefined;
  }
  const { status, headers, error: body } = said;
  // A body that is no JSON is not of this API: another server answers here.
  if (body === undefined && status === 404) return wrongAddress(service, "status 404");
  const codes = [said.errorCode, said.type].flatMap((code) => (code == null ? [] : [code]));
  const retryMs = retryAfter(headers, clock.now());
  return refusedBy(service, { status, codes, message: said.apiMessage ?? "", retryMs });
}

async function schemaFor(request: ModelRequest) {
  if (request.answerSchema === undefined) return undefined;
  const { transformJSONSchema } = await import("@anthropic-ai/sdk/lib/transform-json-schema");
  // The service refuses what it does not support, for example a least number: it becomes a description.
  return transformJSONSchema({ ...request.answerSchema });
}

/**
 * The events of one answer by the service's own package, which is loaded when it is first used. Rejects with an AppError for
 * what the service or the door refused, and as the connection does where it breaks off.
 */
export async function* anthropicEvents(
  options: ServiceOptions,
  request: ModelRequest,
  signal: AbortSignal,
): AsyncGenerator {
  const { service, clock, firstTokenMs } = options;
  const { Anthropic } = await import("@anthropic-ai/sdk");
  const lost: { error?: unknown } = {};
  const client = new Anthropic({
    baseURL: service.url,
    // Every one of these is read from the environment where it is left out.
    apiKey: "set by our fetch",
    authToken: null,
    webhookKey: null,
    logLevel: "off",
    openTelemetry: false,
    logger: quiet,
    maxRetries: 0,
    timeout: noTimeoutMs,
    fetch: clientFetch(options, options.fetchFor(request), (error) => {
      lost.error = error;
    }),
  });
  try {
    const body = messageBody(service.model, request, await schemaFor(request));
    yield* await within(clock, firstTokenMs, client.messages.create(body, { signal }));
  } catch (error) {
    throw lost.error ?? refusalOf(service, clock, error) ?? error;
  }
}
