/** Variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** How a child process is started. */
export interface SpawnOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the child; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Opens a message channel (`send`, `onMessage`) to a Node child. */
  readonly messages?: boolean;
}

/** A running child process. It dies with this process. */
export interface Child {
  readonly pid: number;
  /** Sends a JSON value over the channel; a dead child is ignored. */
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** What the child wrote, in pieces, decoded as UTF-8. */
  onOutput(listener: (stream: "stdout" | "stderr", text: string) => void): void;
  kill(signal?: "SIGTERM" | "SIGKILL"): void;
  /** Lets this process end while the child lives; the child is then killed. */
  unref(): void;
  /** Resolves when the child is gone; never rejects. */
  readonly exited: Promise<{
    readonly code: number | null;
    readonly signal: string | null;
    readonly error?: string;
  }>;
}

/** Starts a child process; the only way to one. A command that cannot be started shows in `exited`. */
export type Spawn = (options: SpawnOptions) => Child;
