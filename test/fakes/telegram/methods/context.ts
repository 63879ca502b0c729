import type { ApiMethods, Opts } from "grammy/types";

import type { MethodSchema } from "../schema.ts";
import type { Oracle } from "../tdlib.ts";
import type { Updates } from "../updates.ts";
import type { World } from "../world.ts";

/** A file that came with a call. */
export interface Upload {
  readonly name: string;
  readonly mime: string;
  readonly bytes: Uint8Array;
}

/** What a method works with. */
export interface Context {
  readonly world: World;
  readonly updates: Updates;
  readonly oracle: () => Promise<Oracle>;
  /** By the names that `attach://` says. */
  readonly uploads: ReadonlyMap<string, Upload>;
  /** Aborts when the client is not there any more. */
  readonly gone: AbortSignal;
}

/** What a method takes. */
export type Input<M extends keyof ApiMethods> = Opts<M>;

/** What a method gives. */
export type Result = object | string | number | boolean;

/** A method that the stand-in has. */
export interface Handler {
  readonly method: string;
  readonly handle: (
    context: Context,
    input: unknown,
    schema: MethodSchema,
  ) => Result | Promise<Result>;
}

/** A method by its name; its input is what the schema takes. */
export function on<M extends keyof ApiMethods>(
  method: M,
  handle: (context: Context, input: Input<M>) => Result | Promise<Result>,
): Handler {
  return {
    method,
    handle(context, input, { check }) {
      const fits = (given: unknown): given is Input<M> => check(given) === undefined;
      if (!fits(input)) throw new Error(`an input of ${method} was not checked`);
      return handle(context, input);
    },
  };
}
