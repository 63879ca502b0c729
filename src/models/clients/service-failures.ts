import { AppError, type ErrorCode } from "#core/errors.ts";

import { hostOf, noKey, type Service, wrongAddress } from "./service.ts";

/** What a service said when it did not answer. */
export interface Refused {
  /** HTTP status; undefined for an error within a stream. */
  readonly status: number | undefined;
  /** Its names for the error, for example rate_limit_error; empty when the body is no JSON of its API. */
  readonly codes: readonly string[];
  /** Its sentence; empty when it gave none. */
  readonly message: string;
  /** What Retry-After says, in milliseconds. */
  readonly retryMs?: number | undefined;
}

type Kind = Extract<ErrorCode, `model.${string}`>;

interface Rule {
  readonly kind: Kind;
  readonly statuses: readonly number[];
  readonly codes: RegExp;
  /** Looked for where the status is 400 or above and means several things, or is unknown. */
  readonly words: RegExp;
}

const never = /(?!)/;

/** In order: the first that fits. Services say the same thing in a status, a code or only in words. */
const rules: readonly Rule[] = [
  {
    kind: "model.context-overflow",
    statuses: [413],
    codes: /^(context_length_exceeded|exceed_context_size_error|request_too_large)$/,
    words:
      /context (length|size|window)|maximum context|exceed\w* (the )?.*context|prompt is too long|too many (input )?tokens|when context the overflows/i,
  },
  {
    kind: "model.no-credit",
    statuses: [402],
    codes: /^(insufficient_quota|billing_\w+|\w+_spend_limit_reached|.*billing_unavailable)$/,
    words: /credit balance|usage limits|insufficient (credits?|quota|balance)|spend(ing)? limit/i,
  },
  {
    kind: "model.wrong-key",
    statuses: [401],
    codes: /^(authentication_error|invalid_api_key|account_deactivated)$/,
    words: /(invalid|incorrect|missing|revoked).* api.?key/i,
  },
  { kind: "model.refused", statuses: [403], codes: /^permission\w*$/, words: never },
  {
    kind: "model.missing",
    statuses: [404],
    codes: /^(model_not_found|not_found_error)$/,
    words:
      /not a valid model|model\b.*\b(not found|does not exist|not loaded)|no models? (is |are )?loaded|(unknown|invalid) model/i,
  },
  {
    kind: "model.rate-limit",
    statuses: [429, 502, 503, 504, 529],
    codes: /^(rate_limit\w*|overloaded\w*|429|502|503|504|529|unavailable_error|timeout_error)$/,
    words: /rate limit|overloaded|too many requests/i,
  },
  {
    kind: "model.bad-request",
    statuses: [400, 409, 422],
    codes: /^(invalid_request_error|BadRequestError|400|422)$/,
    words: never,
  },
];

function kindOf({ status, codes, message }: Refused): Kind {
  const unclear = status === undefined || [400, 404, 429, 500].includes(status);
  const fits = rules.find(
    (rule) => (unclear && rule.words.test(message)) || codes.some((code) => rule.codes.test(code)),
  );
  // A status says less than a code: 429 is also "no credit", 400 also "too long".
  const byStatus = rules.find((rule) => status !== undefined && rule.statuses.includes(status));
  if (fits?.kind === "model.bad-request" && byStatus !== undefined) return byStatus.kind;
  return (fits ?? byStatus)?.kind ?? "model.failed";
}

function inWords(ms: number | undefined): string {
  if (ms === undefined) return "in a minute";
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  if (seconds < 120) return `in ${seconds} ${seconds === 1 ? "second" : "seconds"}`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 120 ? `in ${minutes} minutes` : `in ${Math.ceil(minutes / 60)} hours`;
}

/** A service's own sentence, short, in one line, without its key and without the stop that ours adds. */
function quoted({ key, secrets }: Service, message: string): string {
  const value = key === undefined ? undefined : secrets(key)?.reveal();
  const safe = value === undefined ? message : message.replaceAll(value, "[secret]");
  const [line = ""] = safe.trim().split("\n", 1);
  return line
    .replaceAll(/\p{Cc}/gu, " ")
    .slice(0, 300)
    .replace(/\.$/, "");
}

const busy: Readonly<Record<number, string>> = {
  429: "too many requests",
  502: "the server behind it does not answer",
  504: "the server behind it does not answer",
};

function tryLater(service: Service, { status, codes, retryMs }: Refused): AppError {
  const tooMany = codes.some((code) => /^(rate_limit|429)/.test(code));
  const problem = (tooMany ? busy[429] : busy[status ?? 0]) ?? "it is overloaded";
  const host = hostOf(service);
  const details = { host, problem, when: inWords(retryMs) };
  return new AppError("model.rate-limit", details, { retryMs });
}

/** What a service's refusal means, in one sentence with the fix. */
export function refusedBy(service: Service, refused: Refused): AppError {
  const { model, key = "(none)" } = service;
  const { status, message } = refused;
  const host = hostOf(service);
  const kind = kindOf(refused);
  if (kind === "model.wrong-key" && service.key === undefined) return noKey(service);
  // A 404 that is not about a model is about the path.
  if (status === 404 && !/model/i.test(message)) return wrongAddress(service, "status 404");
  if (kind === "model.rate-limit") return tryLater(service, refused);
  const said = quoted(service, message) || `status ${status ?? "unknown"}`;
  const problems: Partial<Record<Kind, string>> = {
    "model.bad-request": `${said}.`,
    "model.refused": `${host} does not allow it to the key ${key}: choose another model or another key.`,
  };
  const fix = "write the name of one that it has into config/models.local.yaml";
  return new AppError(kind, { model, host, fix, key, problem: problems[kind] ?? said });
}

/** Milliseconds that the headers ask to wait; undefined when they do not say. `now` is since 1970. */
export function retryAfter(
  headers: { get(name: string): string | null } | undefined,
  now: number,
): number | undefined {
  const ms = Number(headers?.get("retry-after-ms") ?? Number.NaN);
  if (Number.isFinite(ms)) return ms;
  const text = headers?.get("retry-after") ?? "";
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at - now;
}
