import { shortId } from "#core/ids.ts";
import type { Task } from "#core/task.ts";

import { createAnswerWriter, exitOf, reportEnd } from "./answer.ts";
import { lineOf, type Output } from "./output.ts";
import type { Services } from "./services.ts";
import { terminal } from "./terminal-chat.ts";

/** What the options of a one-shot request say. */
export interface AskOptions {
  readonly tier?: string;
  readonly agent?: string;
  readonly json: boolean;
  readonly stream: boolean;
  readonly new: boolean;
}

/** Works what an earlier process left open, and says so. */
export async function finishEarlier(
  services: Services,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const runner = await services.runner();
  await runner.resume({
    signal,
    onEvent(event) {
      if (event.type === "start") {
        output.note(output.dim(`Finishing an earlier task first: ${lineOf(event.task.input, 60)}`));
      } else if (event.type === "end") {
        output.note(
          output.dim(`That one is ${event.task.state}: agent show ${shortId(event.task.id)}`),
        );
      }
    },
  });
}

async function taskJson(services: Services, task: Task, deployment?: string): Promise<string> {
  const store = await services.store();
  const usage = await store.usage(task.id);
  const sum = (key: "promptTokens" | "answerTokens"): number | null => {
    const known = usage.map((row) => row[key]).filter((value) => value !== undefined);
    return known.length === 0 ? null : known.reduce((a, b) => a + b, 0);
  };
  return JSON.stringify({
    task: task.id,
    state: task.state,
    agent: task.agent,
    deployment: deployment ?? null,
    output: task.output,
    promptTokens: sum("promptTokens"),
    answerTokens: sum("answerTokens"),
    failure: task.failure,
  });
}

/** Answers one request; resolves with the exit code. */
export async function ask(
  services: Services,
  output: Output,
  request: { readonly words: string; readonly options: AskOptions; readonly signal: AbortSignal },
): Promise<number> {
  const { words, options, signal } = request;
  const runner = await services.runner();
  const store = await services.store();
  await store.ensureChat(terminal);
  await finishEarlier(services, output, signal);
  const writer = createAnswerWriter(output, { stream: options.stream && !options.json });
  const task = await runner.run(
    {
      chatId: terminal.id,
      personId: terminal.personId,
      words,
      newConversation: options.new,
      agent: options.agent,
      tier: options.tier,
    },
    {
      signal,
      onEvent: (event) => {
        if (!(options.json && event.type === "end")) writer.onEvent(event);
      },
    },
  );
  if (!options.json) return reportEnd(task, output);
  output.line(await taskJson(services, task, writer.deployment()));
  return exitOf(task);
}
