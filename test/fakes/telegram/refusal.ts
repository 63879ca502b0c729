/** A refusal in Telegram's own words, with its number. */
export class Refusal extends Error {
  readonly code: number;
  readonly parameters: Readonly<Record<string, number>> | undefined;

  constructor(code: number, description: string, parameters?: Readonly<Record<string, number>>) {
    super(description);
    this.code = code;
    this.parameters = parameters;
  }
}

/** A bad request, as the official server words it (its Client.cpp, and TDLib's errors). */
export function bad(words: string): Refusal {
  return new Refusal(400, `Bad Request: ${words}`);
}

/** What somebody may not do. */
export function forbidden(words: string): Refusal {
  return new Refusal(403, `Forbidden: ${words}`);
}

/** Too much at once. */
export function tooMany(seconds: number): Refusal {
  return new Refusal(429, `Too Many Requests: retry after ${seconds}`, { retry_after: seconds });
}
