import assert from "node:assert/strict";

import { endAs } from "../../fakes/providers/anthropic-words.ts";
import { wordsOf } from "../../fakes/providers/speak.ts";
import type { Kind, Trouble } from "../../fakes/providers/words.ts";

import { call } from "./call.ts";
import type { FaultCase } from "./fault-case.ts";
import { answered, inAll, inEach, neverHalf, saw, sawNothing, says } from "./judge.ts";
import { answers, begins, inTurn, openStage, openSubject, refuses, type World } from "./stage.ts";
import { zoneTool } from "./tool-cases.ts";

async function wrongKey(world: World, kind: Kind, status: number): Promise<void> {
  const codes =
    kind === "anthropic"
      ? ["authentication_error", "permission_error"]
      : ["invalid_api_key", "permission_denied"];
  const code = codes[status === 401 ? 0 : 1] ?? "";
  const refused = refuses(kind, status, { message: "Not with this key.", code });
  const stage = await openStage(world, {
    kind,
    host: { key: "SOME_API_KEY" },
    primary: inTurn(refused, answers(kind)),
  });
  answered(await stage.call(), "backup");
  saw(stage.primary.log, 1, 1);
  answered(await stage.call(), "backup");
  saw(stage.primary.log, 1, 1);
  const renewed = await openSubject(world, stage.settings);
  answered(await call(renewed.router), "primary");
}

async function missing(world: World): Promise<void> {
  const kind = "ollama";
  const siblings = { sibling: () => answers(kind) };
  const gone: Trouble = { message: "model 'primary' not found" };
  const unlisted = await openStage(world, {
    kind,
    siblings,
    primary: () => refuses(kind, 404, gone),
    ollama: { tags: () => ({ sibling: {} }) },
  });
  answered(await unlisted.call(), "sibling");
  saw(unlisted.primary.of("primary"), 0, 0);
  const options = await unlisted.subject.explain("local-smart");
  assert.ok(
    options.some(({ pull }) => pull === "primary"),
    "it is not offered to pull it",
  );
  // Listed when it was looked, gone when it was asked.
  const raced = await openStage(world, { kind, siblings, primary: () => refuses(kind, 404, gone) });
  const outcome = await raced.call();
  answered(outcome, "sibling");
  says(
    outcome.notices.join(" "),
    /agent models pull primary/,
    "the person is not told how to get it",
  );
}

async function noTools(world: World): Promise<void> {
  const kind = "ollama";
  const refused = refuses(kind, 400, { message: '"primary" does not support tools' });
  const { call: ask, primary } = await openStage(world, {
    kind,
    primary: ({ body }) => (body["tools"] === undefined ? answers(kind) : refused),
    siblings: { sibling: () => answers(kind) },
  });
  answered(await ask({ tools: [zoneTool] }));
  answered(await ask({ tools: [zoneTool] }));
  const withTools = primary.of("primary").filter(({ body }) => body["tools"] !== undefined);
  assert.equal(withTools.length, 1, `tools were offered to it ${withTools.length} times`);
  assert.ok(primary.log.length >= 3 || primary.of("sibling").length > 0, "its host was blamed");
}

async function noThinking(world: World): Promise<void> {
  const kind = "ollama";
  const refused = refuses(kind, 400, { message: '"primary" does not support thinking' });
  const { call: ask, primary } = await openStage(world, {
    kind,
    backup: null,
    ollama: { show: () => ({ capabilities: ["completion", "thinking"] }) },
    primary: ({ body }) => (body["think"] === undefined ? answers(kind) : refused),
  });
  answered(await ask(), "primary");
  answered(await ask(), "primary");
  saw(primary.log, 3, 3);
}

const tooLong: Readonly<Record<Kind, readonly Trouble[]>> = {
  ollama: [{ message: "the input length exceeds the context length" }],
  anthropic: [
    { message: "prompt is too long: 9000 tokens > 8192 maximum", code: "invalid_request_error" },
  ],
  openai: [
    {
      message: "This model's maximum context length is 8192 tokens.",
      code: "context_length_exceeded",
    },
    {
      message: "the request exceeds the available context size",
      code: "exceed_context_size_error",
    },
    { message: "Trying to keep the first 999 tokens when context the overflows." },
  ],
};

/** It was never asked again with a prompt as long, and whoever has more room answers. */
async function neverSameSize(world: World, kind: Kind, reply: ReturnType<typeof refuses>) {
  const { call: ask, primary } = await openStage(world, { kind, primary: () => reply });
  const outcome = await ask();
  neverHalf(outcome);
  answered(outcome);
  saw(primary.log, 1, 2);
  const [first, second] = primary.log;
  assert.ok(second === undefined || second.size < (first?.size ?? 0), "asked again with as much");
}

/** There is nobody with more room, and what is shorter is answered. */
async function trimmed(world: World, kind: Kind): Promise<void> {
  const [trouble = { message: "" }] = tooLong[kind];
  const { call: ask, primary } = await openStage(world, {
    kind,
    backup: null,
    primary: ({ size }) => (size > 20_000 ? refuses(kind, 400, trouble) : answers(kind)),
  });
  answered(await ask({ text: "A heron is a bird. ".repeat(1450) }), "primary");
  saw(primary.log, 2, 3);
}

async function overflow(world: World): Promise<void> {
  await inEach(async (kind) => {
    for (const trouble of tooLong[kind]) {
      await neverSameSize(world, kind, refuses(kind, 400, trouble));
    }
  });
  await inEach((kind) => trimmed(world, kind));
  const stopped = begins("anthropic", 3, endAs("model_context_window_exceeded"));
  await neverSameSize(world, "anthropic", stopped);
}

/** Needs of the port: a notice that comes after the answer has begun, since only its end tells what was read. */
async function silentTruncation(world: World): Promise<void> {
  const kind = "ollama";
  const words = wordsOf(kind);
  const usage = { promptTokens: 300, answerTokens: 8 };
  const cutTo = answers(kind).steps.slice(0, -1);
  const { call: ask } = await openStage(world, {
    kind,
    backup: null,
    primary: () => ({ steps: [...cutTo, words.end({ usage })] }),
  });
  // About 2,500 tokens, of which the server says that it read 300.
  const outcome = await ask({ text: "A heron is a bird. ".repeat(480) });
  answered(outcome, "primary");
  says(outcome.notices.join(" "), /context|shorten|left out|cut/i, "nobody is told");
}

async function tellsOfKey(world: World): Promise<void> {
  const refused = refuses("openai", 401, { message: "Bad key.", code: "invalid_api_key" });
  const scene = { kind: "openai", host: { key: "SOME_API_KEY" }, primary: () => refused } as const;
  const { call: ask, backup, primary } = await openStage(world, { ...scene, backup: null });
  const outcome = await ask();
  assert.equal(outcome.code, "model.wrong-key", `the failure is ${outcome.code}`);
  saw(primary.log, 1, 1);
  sawNothing(backup);
}

/** What a provider refuses for a reason of its own. */
export const refusalCases: readonly FaultCase[] = [
  {
    row: 16,
    failure: "401 and 403",
    simulated: "status and body; then other settings",
    required: "one attempt, the next deployment, and not asked again until the settings change",
    run: (world) =>
      inAll([
        ...([401, 403] as const).flatMap((status) =>
          (["anthropic", "openai"] as const).map(
            (kind) => [`${kind} ${status}`, () => wrongKey(world, kind, status)] as const,
          ),
        ),
        ["alone", () => tellsOfKey(world)],
      ]),
  },
  {
    row: 17,
    failure: "404, model missing (Ollama)",
    simulated: "not among the installed ones; and gone between the look and the request",
    required: "told how to get it; the next model of the same host answers",
    run: missing,
  },
  {
    row: 18,
    failure: "400, no tools or no thinking (Ollama)",
    simulated: "the server's list claims what the model then refuses",
    required: "learned once, asked without it, and the host is not blamed",
    run: (world) =>
      inAll([
        ["tools", () => noTools(world)],
        ["thinking", () => noThinking(world)],
      ]),
  },
  {
    row: 19,
    failure: "context overflow",
    simulated: "400 in the words of each server, and a stop reason",
    required: "never the same size again; shorter, or a model with more room",
    run: overflow,
  },
  {
    row: 20,
    failure: "prompt cut without a word (Ollama)",
    simulated: "300 tokens reported for a prompt of about 2,500",
    required: "the person is told",
    run: silentTruncation,
  },
];
