import { AppError } from "#core/errors.ts";
import type { FetchInit } from "#core/http.ts";

/** Answers that ask for the request elsewhere. */
const asking: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Headers that may go with a request to another origin; any other may be a credential. */
const harmless: ReadonlySet<string> = new Set(["accept", "accept-language", "range", "user-agent"]);

/** Where an answer asks to go, without a name or password of its own choosing; undefined where it is the answer. */
export function locationOf({ status, headers }: Response, from: URL): URL | undefined {
  if (!asking.has(status)) return undefined;
  const location = headers.get("location");
  return location === null ? undefined : withoutCredentials(new URL(location, from)).url;
}

/** The request that a redirect asks for (WHATWG fetch, HTTP-redirect fetch). */
export function redirected(
  init: FetchInit,
  {
    status,
    from: { host, origin },
    to,
  }: { readonly status: number; readonly from: URL; readonly to: URL },
): FetchInit {
  const { body, ...rest } = init;
  const asGet = status === 303 || (status < 303 && init.method === "POST");
  const headers = Object.entries(init.headers ?? {}).filter(
    ([name]) => to.origin === origin || harmless.has(name.toLowerCase()),
  );
  const kept = { ...rest, headers: Object.fromEntries(headers) };
  if (asGet) return { ...kept, method: "GET" };
  if (body !== undefined && typeof body !== "string") {
    const problem = "it sends an upload elsewhere, and an upload is sent once";
    throw new AppError("door.unreachable", { host, problem });
  }
  return body === undefined ? kept : { ...kept, body };
}

/** A name and password, as `name:password`, in a header (RFC 7617). */
export function basicOf(login: string): string {
  return `Basic ${Buffer.from(login).toString("base64")}`;
}

/** Moves a name and password out of the address, where a failure would print them. */
export function withoutCredentials(address: URL): {
  readonly url: URL;
  readonly authorization: string | undefined;
} {
  const { username, password } = address;
  if (username === "" && password === "") return { url: address, authorization: undefined };
  const url = new URL(address);
  url.username = "";
  url.password = "";
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { url, authorization: basicOf(login) };
}
