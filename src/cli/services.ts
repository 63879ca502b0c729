import type { HolderKind, Operations, Shutdown, Status } from "#core/operations.ts";
import type { Person } from "#core/person.ts";
import type { Watch } from "#core/runner.ts";
import type { Secrets } from "#core/secret.ts";
import type { SettingsEditor } from "#core/settings-editor.ts";

/** What a process that holds the data says of itself before anything is asked, whatever its version. */
export interface Holder {
  readonly hello: Omit<Status, "home" | "startedAt" | "open">;
  readonly operations: Operations;
  readonly close: () => void;
}

/** What commands work with. */
export interface Services {
  readonly home: string;
  /** The folder of the log's files. */
  readonly logs: string;
  readonly version: string;
  /** Takes secrets out of a text. */
  readonly redact: (text: string) => string;
  readonly operations: Operations;
  /** The owner's secrets, as they were when this process began. */
  readonly secrets: Secrets;
  readonly settings: () => Promise<SettingsEditor>;
  /** The process that holds the data, if another does. */
  readonly holder: () => Promise<Holder | undefined>;
  /** True when this process holds the data; takes them where nobody does. */
  readonly isOwn: () => Promise<boolean>;
  /** Works what an earlier process left open, where this process holds the data. */
  readonly resume: (watch: Watch) => Promise<void>;
  /** Talks as the bot of this token until `stop`, where this process holds the data; false where another does. */
  readonly serveBot: (token: string) => Promise<boolean>;
  /** Takes nothing new, and parks what is not done after so many milliseconds. */
  readonly stop: (graceMs: number) => Promise<void>;
  /** The host's supervisor (systemd) is told of a state; nothing where there is none. */
  readonly notify: (state: string) => Promise<void>;
  /** Milliseconds between two signs of life that the supervisor wants; undefined where it wants none. */
  readonly watchdogMs: number | undefined;
  readonly close: () => Promise<void>;
}

/** How a command opens the program. */
export interface OpenOptions {
  readonly home: string | undefined;
  readonly person: Person;
  readonly kind: HolderKind;
  /** Sees every line of the log. */
  readonly echo?: (line: string) => void;
  /** A service is asked to end. */
  readonly onShutdown?: (why: Shutdown) => void;
}
