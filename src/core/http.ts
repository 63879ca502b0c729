import type { Label, Trust } from "./trust.ts";

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

/** What a connection is for; nothing goes out without one. "proxy" is what the owner's proxy is asked for a way with. */
export type Purpose = "model" | "model-download" | "index" | "chat" | "proxy";

/**
 * One request that left this process, or tried to; a WebSocket is one as well. Bytes are counted on the connection, before TLS:
 * body bytes are those of the body itself, head bytes all else of the message, its framing included.
 */
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
  readonly headBytesIn: number;
  /** As it came, before any decompression. */
  readonly bodyBytesIn: number;
  /**
   * SHA-256 of the body as far as it was handed to the connection, in hexadecimal; null where none was. Of a request that is broken off
   * more may be counted and hashed than went out by then, never less.
   */
  readonly sha256Out: string | null;
  readonly sha256In: string | null;
  /** How private what was sent is, by where its parts came from; none where nothing of a person was in it. */
  readonly labels: readonly Label[];
  /** Identifiers that were taken out of it before it was sent. */
  readonly redactions: number;
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
  /** True where a host at home may go on to a cloud with what it is sent: it is for uses that say so, and for no others. */
  readonly passesOn?: boolean;
}

/** What a caller wants a connection for. */
export interface DoorUse {
  readonly purpose: Purpose;
  readonly taskId: string | null;
  /** What the request carries; default nothing of a person. */
  readonly labels?: readonly Label[];
  readonly redactions?: number;
  /** Set where what answers there passes it on to a cloud, whatever the address says. */
  readonly trust?: "cloud";
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

/** A way through the door for a client that brings its own WebSocket. */
export interface Relay {
  /** Where the client connects to: a WebSocket on loopback. A path and a query behind it are the ones asked for beyond the door. */
  readonly url: string;
  close(): Promise<void>;
}

/** The one door out. */
export interface Door {
  /** A fetch for one use: checked against the rules before DNS, redirects included, and written to `receipts`. */
  open(use: DoorUse): Fetch;
  /**
   * Opens a relay to a WebSocket server, checked as a request is at each connection that a client makes through it, and on record
   * for as long as it lasts.
   */
  relay(use: DoorUse, url: string): Promise<Relay>;
  /** Adds a rule derived from config; gives what takes it back. */
  allow(rule: DoorRule): () => void;
  /** An answer of this door says that its host passed the request on to a cloud: the request's receipt says so from then on. */
  passedOn(response: Response): void;
  close(): Promise<void>;
}
