import { clearLine, createInterface, cursorTo, type Interface } from "node:readline";

import { AppError } from "#core/errors.ts";
import { owner } from "#core/person.ts";
import type { TerminalEvent } from "#core/terminal.ts";

import { finishEarlier } from "./ask.ts";
import { createScreen } from "./chat-screen.ts";
import type { Output } from "./output.ts";
import type { Services } from "./services.ts";

/** How many earlier requests the arrow keys bring back. */
const historySize = 100;

/** Where lines come from, where the prompt is drawn, and which chat it is. */
interface ChatStreams {
  readonly input: NodeJS.ReadStream;
  readonly screen: NodeJS.WriteStream;
  readonly chatId: string;
}

/** The lines of a person, with the chat's earlier requests behind the arrow keys, and the prompt that they are written at. */
async function openLines(services: Services, { input, screen }: ChatStreams) {
  const earlier = await services.operations.tasks({ limit: historySize, personId: owner });
  const history = earlier.map((task) => task.input.replaceAll(/\s+/g, " "));
  const rl = createInterface({ input, output: screen, history, historySize, prompt: "> " });
  const state = { closed: false, prompting: false };
  rl.once("close", () => (state.closed = true));
  rl.on("line", () => (state.prompting = false));
  return {
    rl,
    prompt: (): void => {
      if (state.closed || state.prompting) return;
      state.prompting = true;
      rl.prompt(true);
    },
    /** Makes room for what is written next where the prompt stands; what was typed at it comes back with it. */
    hidePrompt: (): void => {
      if (!state.prompting || !input.isTTY) return;
      state.prompting = false;
      cursorTo(screen, 0);
      clearLine(screen, 0);
    },
  };
}

/** What is said here and not answered yet. */
function createTalk(
  services: Services,
  output: Output,
  { chatId, left }: { readonly chatId: string; readonly left: AbortSignal },
) {
  const state = { open: 0 };
  return {
    isIdle: () => state.open === 0,
    /** Says a failure that was raised on purpose and goes on; anything else ends the chat. */
    during: async (work: () => Promise<unknown>): Promise<void> => {
      state.open += 1;
      try {
        await work();
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        // What was not answered when its person left is answered when somebody comes back.
        if (!left.aborted) output.note(error.message);
      } finally {
        state.open -= 1;
      }
    },
    say: (words: string) => services.operations.say({ chatId, words }),
  };
}

/** Attends the chat until the signal aborts; `caughtUp` resolves when what was left of earlier is answered. */
function attend(
  services: Services,
  { chatId, signal }: { readonly chatId: string; readonly signal: AbortSignal },
  onEvent: (event: TerminalEvent) => void,
) {
  const { promise: caughtUp, resolve } = Promise.withResolvers<void>();
  const watch = {
    signal,
    onEvent(event: TerminalEvent) {
      if (event.type === "caught-up") resolve();
      else onEvent(event);
    },
  };
  const ended = services.operations.attend({ chatId }, watch);
  const over = ended.then(
    () => {},
    () => {},
  );
  return { caughtUp: Promise.race([caughtUp, over]), ended, over };
}

/** What is done with what a person types. */
interface Hands {
  readonly say: (words: string) => Promise<void>;
  readonly isIdle: () => boolean;
  readonly prompt: () => void;
  /** Stops what is being worked of earlier commands; false where nothing is. */
  readonly stopEarlier: () => boolean;
}

/**
 * Takes lines until Ctrl-D or /quit. Lines of a person are said at once; those of a pipe one by one, each when what went before it
 * is answered.
 */
function takeLines(
  rl: Interface,
  { isTTY, before }: { readonly isTTY: boolean; readonly before: Promise<void> },
  { say, isIdle, prompt, stopEarlier }: Hands,
): Promise<void> {
  const { promise: left, resolve: leave, reject: fail } = Promise.withResolvers<void>();
  let queue = before;
  queue.catch(fail);
  rl.on("line", (raw) => {
    const line = raw.trim();
    if (line === "/quit") rl.close();
    else if (line === "") prompt();
    else if (isTTY) say(line).then(prompt, fail);
    else {
      queue = queue.then(() => say(line)).then(prompt);
      queue.catch(fail);
    }
  });
  rl.on("SIGINT", () => {
    if (isIdle()) rl.close();
    else if (!stopEarlier()) say("/stop").then(prompt, fail);
  });
  rl.on("close", () => {
    if (isTTY) leave();
    else queue.then(leave, fail);
  });
  return left;
}

/** Works what commands left open, where this process holds the data; it is shown by history alone. */
function createEarlier(services: Services, output: Output) {
  const stopping = new AbortController();
  const state = { going: false };
  return {
    async finish(): Promise<void> {
      state.going = true;
      await finishEarlier(services, output, stopping.signal).finally(() => (state.going = false));
    },
    stop(): boolean {
      if (state.going) stopping.abort();
      return state.going;
    },
  };
}

/** A chat on a terminal. */
export async function chat(
  services: Services,
  output: Output,
  streams: ChatStreams,
): Promise<void> {
  const { chatId, input } = streams;
  const { rl, prompt: drawPrompt, hidePrompt } = await openLines(services, streams);
  const leaving = new AbortController();
  const { signal } = leaving;
  const screen = createScreen(output);
  const talk = createTalk(services, output, { chatId, left: signal });
  const earlier = createEarlier(services, output);
  const prompt = (): void => {
    if (talk.isIdle()) drawPrompt();
  };
  output.note(output.dim("/help says what can be written here; Ctrl-D leaves."));
  const { caughtUp, ended, over } = attend(services, { chatId, signal }, (event) => {
    if (event.type === "typing" && talk.isIdle()) return;
    hidePrompt();
    if (screen.show(event)) prompt();
  });
  const left = takeLines(
    rl,
    {
      isTTY: input.isTTY,
      before: talk.during(() => caughtUp.then(() => earlier.finish())).then(prompt),
    },
    {
      say: (words) => talk.during(() => talk.say(words)),
      isIdle: talk.isIdle,
      prompt,
      stopEarlier: () => earlier.stop(),
    },
  );
  try {
    await Promise.race([left, ended]);
    screen.end();
    if (!talk.isIdle()) output.note("What is not answered yet is shown when you come back.");
  } finally {
    leaving.abort();
    rl.close();
    // What was sent to this terminal before it left is shown on it.
    await over;
  }
}
