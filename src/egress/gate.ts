import { AppError } from "#core/errors.ts";
import type { DoorRule, DoorUse } from "#core/http.ts";
import { type Trust, trustOf } from "#core/trust.ts";

import { createLiteralCheck } from "./addresses.ts";
import { createRecorder, type Moved, type RecorderOptions } from "./recorder.ts";
import { checkRules, trustFor } from "./rules.ts";

/** What a gate works with. */
export interface GateOptions extends RecorderOptions {
  /** True where nothing of this task, or of what belongs to no task, may go to the cloud; asked at each request that would. */
  readonly localOnly: (taskId: string | null) => Promise<boolean>;
  readonly rules?: readonly DoorRule[];
}

/** Lets a request begin, or refuses it: by the owner's mode, by rule, and where it cannot be put on record. */
export interface Gate {
  /** Rejects with an AppError where the request may not be made; resolves before anything of it is on record. */
  check(use: DoorUse, url: URL, method: string): Promise<Trust>;
  /** Resolves when the request may go out, with what is told of its end. */
  begin(use: DoorUse, url: URL, trust: Trust): Promise<(moved: Moved) => void>;
  /** The same for what the owner's proxy is asked, which belongs to no task and needs no rule. */
  overhead(url: URL): Promise<(moved: Moved) => void>;
  /** Adds a rule; gives what takes it back. */
  allow(rule: DoorRule): () => void;
  /** Resolves when every receipt is written. */
  settled(): Promise<void>;
}

/** The gate of a door. */
export function createGate(options: GateOptions): Gate {
  const rules = [...(options.rules ?? [])];
  const recorder = createRecorder(options);
  const checkLiteral = createLiteralCheck();
  return {
    ...recorder,
    overhead: (url) =>
      recorder.begin({ purpose: "proxy", taskId: null }, url, trustOf(url.hostname)),
    allow(rule) {
      rules.push(rule);
      return () => {
        const at = rules.indexOf(rule);
        if (at !== -1) rules.splice(at, 1);
      };
    },
    async check(use, url, method) {
      const trust = use.trust ?? trustFor(rules, use, url);
      // Before the rules: whoever asks is told of the owner's decision, whatever else there is to say.
      if (trust === "cloud" && (await options.localOnly(use.taskId))) {
        throw new AppError("door.local-only", { host: url.host });
      }
      checkRules(rules, use, { url, method });
      checkLiteral(url.hostname);
      return trust;
    },
  };
}
