import { shortId } from "#core/ids.ts";
import { owner } from "#core/person.ts";
import type { Task } from "#core/task.ts";

import { createAnswerWriter, exitOf, reportEnd } from "./answer.ts";
import { knownCost, knownTokens } from "#core/cost.ts";
import { lineOf, type Output } from "./output.ts";
import type { Services } from "./services.ts";
import { terminalChat } from "./terminal-chat.ts";

/** What the options of a one-shot request say. */
export interface AskOptions {
  readonly tier?: string;
  readonly agent?: string;
  readonly chat?: string;
  readonly json: boolean;
  readonly stream: boolean;
  readonly new: boolean;
  readonly localOnly: boolean;
}

/** Works what an earlier process left open, and says so. */
export async function finishEarlier(
  services: Services,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  await services.resume({
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

async function taskJson(services: Services, task: Task): Promise<string> {
  const { usage, steps } = await services.operations.task({ ending: task.id });
  const answered = steps.findLast((step) => step.kind === "model");
  return JSON.stringify({
    task: task.id,
    state: task.state,
    agent: task.agent,
    deployment: answered?.deployment ?? null,
    output: task.output,
    promptTokens: knownTokens(usage, "promptTokens"),
    answerTokens: knownTokens(usage, "answerTokens"),
    costUsd: knownCost(usage),
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
  await finishEarlier(services, output, signal);
  const writer = createAnswerWriter(output, { stream: options.stream && !options.json });
  const task = await services.operations.ask(
    {
      chatId: terminalChat(options.chat),
      personId: owner,
      words,
      newConversation: options.new,
      localOnly: options.localOnly,
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
  output.line(await taskJson(services, task));
  return exitOf(task);
}
