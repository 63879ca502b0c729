import { AppError } from "#core/errors.ts";
import type { DoorRule, DoorUse } from "#core/http.ts";
import { type Trust, trustOf } from "#core/trust.ts";

import { createLiteralCheck } from "./addresses.ts";
import { createRecorder, type Entry, type RecorderOptions } from "./recorder.ts";
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
  /** Resolves when the request may go out. */
  begin(use: DoorUse, url: URL, trust: Trust): Promise<Entry>;
  /** The same for what the owner's proxy is asked, which belongs to no task and needs no rule. */
  overhead(url: URL): Promise<Entry>;
  /** Adds a rule; gives what takes it back. */
  allow(rule: DoorRule): () => void;
  /** Resolves when every receipt is written. */
  settled(): Promise<void>;
}

/** A host as the owner's decision names it: one at home may go to a cloud with what it is sent. */
function namedHost({ host, hostname }: URL): string {
  const isHome = trustOf(hostname) !== "cloud";
  return isHome ? `${host}, which would go to a cloud with it` : host;
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
        throw new AppError("door.local-only", { host: namedHost(url) });
      }
      checkRules(rules, use, { url, method });
      checkLiteral(url.hostname);
      return trust;
    },
  };
}
