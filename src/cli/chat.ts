import { createInterface, type Interface } from "node:readline";

import { AppError } from "#core/errors.ts";
import { owner } from "#core/person.ts";
import { tierOf } from "#core/router.ts";

import { createAnswerWriter, reportEnd } from "./answer.ts";
import { finishEarlier } from "./ask.ts";
import type { Output } from "./output.ts";
import type { Services } from "./services.ts";

const help = `Write, and Enter sends it. While an answer comes, Ctrl-C or /stop stops it.
/new          begin a new conversation
/agent NAME   the agent for what follows (/agent alone: the usual choice)
/tier NAME    fast, smart or cloud for what follows (/tier alone: the usual choice)
/stop         stop the running answer
/quit         leave (so does Ctrl-D)`;

/** How many earlier requests the arrow keys bring back. */
const historySize = 100;

/** Where lines come from, where the prompt is drawn, and which chat it is. */
interface ChatStreams {
  readonly input: NodeJS.ReadStream;
  readonly screen: NodeJS.WriteStream;
  readonly chatId: string;
}

interface ChatState {
  readonly chatId: string;
  agent: string | undefined;
  tier: string | undefined;
  running: AbortController | undefined;
  left: boolean;
  readonly seen: Set<string>;
}

type Command = (state: ChatState, word: string) => Promise<string> | string;

function createCommands(services: Services): ReadonlyMap<string, Command> {
  const choose =
    (key: "agent" | "tier"): Command =>
    (state, word) => {
      state[key] = word === "" ? undefined : word;
      return word === "" ? `The usual choice of ${key} again.` : `From now on: ${key} ${word}.`;
    };
  return new Map<string, Command>([
    ["/help", () => help],
    ["/agent", choose("agent")],
    [
      "/tier",
      (state, word) => {
        if (word !== "") tierOf(word);
        return choose("tier")(state, word);
      },
    ],
    [
      "/new",
      async ({ chatId }) => {
        await services.operations.newConversation({ chatId, personId: owner });
        return "A new conversation.";
      },
    ],
    [
      "/stop",
      (state) => {
        state.running?.abort();
        return state.running === undefined ? "Nothing is running." : "";
      },
    ],
  ]);
}

async function answer(
  services: Services,
  output: Output,
  turn: { readonly words: string; readonly state: ChatState },
): Promise<void> {
  const { words, state } = turn;
  const running = new AbortController();
  state.running = running;
  const writer = createAnswerWriter(output, { stream: true, seen: state.seen });
  try {
    const task = await services.operations.ask(
      {
        chatId: state.chatId,
        personId: owner,
        words,
        agent: state.agent,
        tier: state.tier,
      },
      { signal: running.signal, onEvent: (event) => writer.onEvent(event) },
    );
    reportEnd(task, output);
  } finally {
    state.running = undefined;
  }
}

/** Says what was raised on purpose and goes on; anything else ends the chat. */
async function surviving(output: Output, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    output.note(error.message);
  }
}

/** The lines of a person, with the chat's earlier requests behind the arrow keys. */
async function openLines(services: Services, streams: ChatStreams): Promise<Interface> {
  const earlier = await services.operations.tasks({ limit: historySize, personId: owner });
  const history = earlier.map((task) => task.input.replaceAll(/\s+/g, " "));
  const { input, screen } = streams;
  return createInterface({ input, output: screen, history, historySize, prompt: "> " });
}

/** What is done with a line; a failure raised on purpose is said, and the chat goes on. */
function createHandler(services: Services, output: Output, state: ChatState) {
  const commands = createCommands(services);

  async function handle(line: string): Promise<void> {
    const [name = "", word = ""] = line.split(/\s+/, 2);
    const command = commands.get(name);
    if (command !== undefined) {
      const said = await command(state, word);
      if (said !== "") output.note(said);
    } else if (/^\/[a-z]+$/.test(line))
      output.note(`There is no ${line}: /help lists what there is.`);
    else await answer(services, output, { words: line, state });
  }

  async function resume(): Promise<void> {
    const running = new AbortController();
    state.running = running;
    await finishEarlier(services, output, running.signal);
    state.running = undefined;
  }

  return {
    handle: (line: string) => surviving(output, () => handle(line)),
    resume: () => surviving(output, resume),
  };
}

/** A chat on a terminal until Ctrl-D or /quit; lines sent while an answer comes are answered after it, in order. */
export async function chat(
  services: Services,
  output: Output,
  streams: ChatStreams,
): Promise<void> {
  const state: ChatState = {
    chatId: streams.chatId,
    agent: undefined,
    tier: undefined,
    running: undefined,
    left: false,
    seen: new Set(),
  };
  const rl = await openLines(services, streams);
  const handler = createHandler(services, output, state);
  const { promise: left, resolve: leave, reject: fail } = Promise.withResolvers<void>();
  const prompt = (): void => {
    if (!state.left) rl.prompt();
  };
  output.note(output.dim("/help says what can be written here; Ctrl-D leaves."));
  let queue = handler.resume().then(prompt);

  rl.on("line", (raw) => {
    const line = raw.trim();
    if (line === "/quit") rl.close();
    else if (line === "/stop" && state.running !== undefined) state.running.abort();
    else if (line === "") prompt();
    else {
      queue = queue.then(() => handler.handle(line)).then(prompt);
      queue.catch(fail);
    }
  });
  rl.on("SIGINT", () => {
    if (state.running === undefined) rl.close();
    else state.running.abort();
  });
  rl.on("close", () => {
    state.left = true;
    // A person who leaves wants no more; lines from a pipe are all there already and are all answered.
    if (streams.input.isTTY) state.running?.abort();
    void queue.then(leave, fail);
  });
  await left;
}
