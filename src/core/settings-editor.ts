/** A setting as `agent config` shows it. */
export interface Setting {
  /** For example models.cloud or agents.code.model_tier. */
  readonly key: string;
  readonly value: unknown;
  /** True where the owner's own file says so. */
  readonly own: boolean;
}

/** The owner's settings, read and changed by key. */
export interface SettingsEditor {
  readonly list: () => Promise<Setting[]>;
  /** Rejects with `config.unknown-key`, which names the key that was probably meant. */
  readonly get: (key: string) => Promise<Setting[]>;
  /** Reads the value as YAML and checks it, then writes it to the owner's own file and gives that file's name; the comments in it stay. */
  readonly set: (key: string, value: string) => Promise<string>;
  /** Puts a secret into the home's file of secrets (mode 0600) and gives that file's name. */
  readonly setSecret: (name: string, value: string) => Promise<string>;
}
