import assert from "node:assert/strict";

import { wordsOf } from "../../fakes/providers/speak.ts";
import type { Kind } from "../../fakes/providers/words.ts";

import type { FaultCase } from "./fault-case.ts";
import { answered, inAll, inEach, neverHalf, saw } from "./judge.ts";
import { answers, begins, inTurn, openStage, pieces, type World } from "./stage.ts";

/** What an overload within a stream may be called. */
const overloadCodes: readonly string[] = [
  "model.rate-limit",
  "model.failed",
  "model.unavailable",
  "model.crashed",
];

async function inBand(world: World, kind: Kind, shown: number): Promise<void> {
  const primary = () => begins(kind, shown, wordsOf(kind).inBand());
  const stage = await openStage(world, { kind, primary });
  const outcome = await stage.call();
  neverHalf(outcome);
  const first = outcome.attempts[0];
  const isMapped = overloadCodes.some((code) => code === first?.outcome);
  assert.ok(isMapped, `the first attempt is said to be ${first?.outcome}`);
  const spoke = first?.firstTokenMs !== undefined;
  assert.equal(spoke, shown > 0, "whether a token came is not told");
  if (shown === 0) answered(outcome);
  saw(stage.primary.log, 1, 3);
}

const malformed: Readonly<Record<Kind, string>> = {
  ollama: '{"message":{"content":"SECRETWORDS',
  anthropic: 'event: content_block_delta\ndata: {"delta":{"text":"SECRETWORDS\n\n',
  openai: 'data: {"choices":[{"delta":{"content":"SECRETWORDS\n\n',
};

/** What the process prints while `work` goes on. */
async function printedBy(work: () => Promise<void>): Promise<string> {
  const printed: string[] = [];
  const undo = [process.stdout, process.stderr].map((stream) => {
    const write = stream.write.bind(stream);
    stream.write = (text: string | Uint8Array): boolean => {
      printed.push(String(text));
      return write(text);
    };
    return () => {
      stream.write = write;
    };
  });
  try {
    await work();
  } finally {
    for (const restore of undo) restore();
  }
  return printed.join("");
}

async function badLine(world: World, kind: Kind): Promise<void> {
  const words = wordsOf(kind);
  const said = pieces.map((piece) => words.text(piece));
  const broken = [words.start(), ...said.slice(0, 3), `${malformed[kind]}\n`];
  const steps = [...broken, ...said.slice(3), words.end()];
  const stage = await openStage(world, { kind, primary: inTurn({ steps }, answers(kind)) });
  const outcome = await stage.call();
  neverHalf(outcome);
  if (outcome.stop?.reason !== "end")
    assert.equal(outcome.code, "model.protocol", `the failure is ${outcome.code}`);
  assert.ok(!JSON.stringify(outcome.events).includes("SECRETWORDS"), "its words are in an event");
  answered(await stage.call());
}

/** The bytes in pieces of so many bytes; 0 is at random. */
function* chopped(bytes: Buffer, size: number, random: () => number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const length = size > 0 ? size : 1 + Math.floor(random() * 40);
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

async function fuzz(world: World, kind: Kind): Promise<void> {
  const odd = ["Ein Fräulein ", "trinkt 茶 ", "mit 👩‍👩‍👧 und ", "“é”."];
  const lf = answers(kind, odd).steps.join("");
  const streams = [lf, lf.replaceAll("\n", "\r\n")];
  const sizes = [1, 2, 3, 7, 0, 0, 0, 0, 100_000];
  const plans = streams.flatMap((text) => sizes.map((size) => ({ text, size })));
  const stage = await openStage(world, {
    kind,
    backup: null,
    primary: ({ attempt }) => {
      const { text, size } = plans[attempt - 1] ?? { text: lf, size: 1 };
      return { steps: chopped(Buffer.from(text), size, world.random) };
    },
  });
  for (const { size } of plans) {
    const { text, code } = await stage.call();
    assert.equal(text, odd.join(""), `pieces of ${size} bytes: "${text}" ${code ?? ""}`);
  }
}

async function splitAmongWrites(world: World, kind: Kind): Promise<void> {
  const steps = answers(kind).steps;
  const half = Math.floor(steps.length / 2);
  const pair = [steps.slice(0, half).join(""), 5, steps.slice(half).join("")];
  const stage = await openStage(world, { kind, backup: null, primary: () => ({ steps: pair }) });
  answered(await stage.call());
}

/** What comes in a stream that should not, or in pieces that it should not come in. */
export const streamCases: readonly FaultCase[] = [
  {
    row: 8,
    failure: "error in the stream",
    simulated: "an error line, event or data under status 200, before and after the first word",
    required:
      "its kind is known, and whether a token had come; before one, another attempt answers",
    run: (world) =>
      inEach((kind) =>
        inAll([
          ["before words", () => inBand(world, kind, 0)],
          ["after words", () => inBand(world, kind, 5)],
        ]),
      ),
  },
  {
    row: 9,
    failure: "malformed line",
    simulated: "half a line of JSON between good ones",
    required:
      "an error of protocol or a skipped line, never half a success; its words are never printed",
    async run(world) {
      const printed = await printedBy(() => inEach((kind) => badLine(world, kind)));
      assert.ok(!printed.includes("SECRETWORDS"), "its words were printed");
    },
  },
  {
    row: 10,
    failure: "characters and lines cut anywhere",
    simulated: "pieces of one byte, of several lines, at random; CRLF; characters of several bytes",
    required: "the same text every time",
    run: (world) =>
      inEach((kind) =>
        inAll([
          ["pieces", () => fuzz(world, kind)],
          ["several lines in a packet", () => splitAmongWrites(world, kind)],
        ]),
      ),
  },
];
