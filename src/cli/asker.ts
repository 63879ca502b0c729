import { AppError, reasonOf } from "#core/errors.ts";

/** One of the answers to choose from. */
export interface Choice<Value extends string> {
  readonly value: Value;
  readonly label: string;
}

/** Asks the person at a terminal. A question that is cancelled (Ctrl-C) rejects with `task.cancelled`. */
export interface Asker {
  readonly select: <Value extends string>(
    question: string,
    choices: readonly Choice<Value>[],
  ) => Promise<Value>;
  /** `check` throws for what is no answer; Enter alone is the usual one. */
  readonly text: (
    question: string,
    usual: string,
    check: (answer: string) => void,
  ) => Promise<string>;
  /** What is typed is not shown. */
  readonly secret: (question: string) => Promise<string>;
}

function given(answer: string | symbol): string {
  if (typeof answer === "symbol") throw new AppError("task.cancelled");
  return answer;
}

/** An asker on this process's terminal. */
export async function createAsker(): Promise<Asker> {
  const prompts = await import("@clack/prompts");
  const output = process.stderr;
  return {
    async select(question, choices) {
      const options: Choice<string>[] = choices.map(({ value, label }) => ({ value, label }));
      const answer = given(await prompts.select({ message: question, options, output }));
      const chosen = choices.find(({ value }) => value === answer);
      if (chosen === undefined) throw new AppError("task.cancelled");
      return chosen.value;
    },
    text: async (question, usual, check) =>
      given(
        await prompts.text({
          message: question,
          placeholder: usual,
          defaultValue: usual,
          output,
          validate(answer = "") {
            try {
              check(answer === "" ? usual : answer);
              return undefined;
            } catch (error) {
              return reasonOf(error);
            }
          },
        }),
      ),
    secret: async (question) => given(await prompts.password({ message: question, output })),
  };
}
