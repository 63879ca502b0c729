import type { Trust } from "./trust.ts";

/** A request's parts; header names are lower case. */
export interface FetchInit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A text, or bytes as they come; the latter are sent once, so that a redirect cannot be followed with them. */
  readonly body?: string | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
}

/**
 * A fetch (WHATWG) through the door. Redirects are followed. Rejects with an AppError `door.refused` or `door.unreachable`, or
 * with the signal's reason; a body that breaks off rejects where it is read.
 */
export type Fetch = (url: string, init?: FetchInit) => Promise<Response>;

/** What a connection is for; nothing goes out without one. */
export type Purpose = "model" | "model-download" | "index" | "chat";

/** One request that left this process, or tried to. Bytes are counted before TLS. */
export interface Receipt {
  readonly id: string;
  /** Null for overhead that belongs to no task. */
  readonly taskId: string | null;
  readonly purpose: Purpose;
  /** Host and port as in a URL. */
  readonly host: string;
  readonly trust: Trust;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly headBytesOut: number;
  readonly bodyBytesOut: number;
  /** Of the response's body, as it came, before any decompression. */
  readonly bytesIn: number;
  /** HTTP status; null while none has come, or when the connection failed. */
  readonly status: number | null;
}

/** An allowance: connections for `purpose` may go to `origin`. */
export interface DoorRule {
  readonly purpose: Purpose;
  /** Scheme, host and port, as `URL.origin` gives it. */
  readonly origin: string;
  /** True where answers of this origin may name (by link or redirect) other https hosts to read from; GET only. */
  readonly linksOut: boolean;
  /** True for a chat service that the owner connected. */
  readonly platform?: boolean;
}

/** What a caller wants a connection for. */
export interface DoorUse {
  readonly purpose: Purpose;
  readonly taskId: string | null;
  /** The allowed address whose answer named this one, where the origin itself has no rule. */
  readonly linkedFrom?: string;
  /** Deadline for the connection in milliseconds; default 5,000. */
  readonly connectMs?: number;
  /**
   * Connections of its own, shared with no other use, so that a new use never meets a dead one; they are closed when this signal
   * aborts, which ends every request on them. Absent is the connections that uses share.
   */
  readonly ownUntil?: AbortSignal;
}

/** The one door out. */
export interface Door {
  /** A fetch for one use: checked against the rules before DNS, redirects included, and written to `receipts`. */
  open(use: DoorUse): Fetch;
  /** Adds a rule derived from config. */
  allow(rule: DoorRule): void;
  close(): Promise<void>;
}
