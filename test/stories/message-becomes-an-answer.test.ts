import { statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";

import { run, type Running, scriptedHome, start } from "../fakes/program.ts";
import { type FakeTelegram, openTelegram } from "../fakes/telegram/server.ts";

const script = `
scenes:
  - when: time
    replies:
      - toolCalls: [{ name: now, input: { zone: UTC } }]
      - text: It is late.
  - when: story
    replies:
      - { text: "Once upon a time there was a very long story.", piece: 3, delay: 100 }
  - when: escape
    replies:
      - { text: "\\e[31mred\\e]0;title\\a\\tand\\r\\nplain", piece: 1 }
  - when: colour
    replies:
      - toolCalls: [{ name: ask_person, input: { question: "Which one?", choices: [Red, Blue] } }]
      - text: It is painted.
  - replies:
      - text: "Code in the moonlight."
`;

const tasksSchema = z.array(
  z.object({ id: z.string(), state: z.string(), output: z.string().nullable() }),
);

async function history(home: string) {
  const { stdout } = await run(home, ["history", "--json"]);
  return tasksSchema.parse(JSON.parse(stdout));
}

describe("a message becomes an answer", () => {
  test("words go in, the answer alone comes out on stdout, and the task is remembered", async () => {
    const home = await scriptedHome(script);
    const answered = await run(home, ["Write a haiku about coding"]);
    expect(answered).toEqual({ stdout: "Code in the moonlight.\n", stderr: "", code: 0 });
    const [task] = await history(home);
    expect(task).toMatchObject({ state: "done", output: "Code in the moonlight." });
    const shown = await run(home, ["show", task?.id.slice(-6).toLowerCase() ?? ""]);
    expect(shown.stdout).toContain("Asked Write a haiku about coding");
    expect(shown.stdout).toContain("Nothing left this machine.");
    const stats = await run(home, ["stats", "--json"]);
    expect(JSON.parse(stats.stdout)).toMatchObject({ tasks: { done: 1 } });
  });

  test("what is remembered is the owner's alone to read", async () => {
    const home = await scriptedHome(script);
    await run(home, ["hello"]);
    expect(statSync(path.join(home, "workspace/state")).mode & 0o077).toBe(0);
  });

  test("a tool is called on the way, and each step is remembered", async () => {
    const home = await scriptedHome(script);
    const { stdout, stderr } = await run(home, ["What time is it?"]);
    expect([stdout, stderr]).toEqual(["It is late.\n", 'now {"zone":"UTC"}\n']);
    const [task] = await history(home);
    const shown = await run(home, ["show", task?.id ?? "", "--json"]);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      steps: [{ kind: "model" }, { kind: "tool", name: "now", isError: false }, { kind: "model" }],
    });
  });

  test("killed while the model speaks, it answers once when it is back", async () => {
    const home = await scriptedHome(script);
    const first = start(home, ["Tell me a story"]);
    await first.saw("Once");
    first.child.kill("SIGKILL");
    await first.ended;
    const second = await run(home, ["Write a haiku"]);
    expect(second.stderr).toContain("Finishing an earlier task first: Tell me a story");
    const tasks = await history(home);
    expect(tasks.map(({ state, output }) => [state, output])).toEqual([
      ["done", "Code in the moonlight."],
      ["done", "Once upon a time there was a very long story."],
    ]);
    const third = await run(home, ["Write a haiku"]);
    expect(third.stderr).toBe("");
  });

  test("Ctrl-C stops the model and keeps what was said", async () => {
    const home = await scriptedHome(script);
    const running = start(home, ["Tell me a story"]);
    await running.saw("Once");
    running.child.kill("SIGINT");
    const { code, stderr } = await running.ended;
    expect([code, stderr]).toEqual([
      130,
      expect.stringContaining("Stopped. What was done is kept"),
    ]);
    const [task] = await history(home);
    expect(task).toMatchObject({ state: "cancelled", output: expect.stringMatching(/^Once/) });
  });

  test("a second process on the same data is answered by the first", async () => {
    const home = await scriptedHome(script);
    const running = start(home, ["Tell me a story"]);
    await running.saw("Once");
    const second = await run(home, ["history"]);
    expect([second.code, second.stdout]).toEqual([0, expect.stringContaining("Tell me a story")]);
  });

  test("a chat takes lines and commands in order", async () => {
    const home = await scriptedHome(script);
    const input = "hello\n/tier huge\n/agent code\nWhat time is it?\n/new\n";
    const { stdout, stderr, code } = await run(home, ["-i"], { input });
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining("Code in the moonlight.\nIt is late.\n"),
    ]);
    expect(stderr).toContain('There is no tier "huge"');
    expect(stderr).toContain("From now on code answers here.");
    expect(stderr).toContain("A new conversation:");
  });

  test("a question is answered in the chat by its number", async () => {
    const home = await scriptedHome(script);
    const input = "Paint it in a colour\n/status\n2\n";
    const { stdout, stderr } = await run(home, ["-i"], { input });
    expect(stdout).toBe("It is painted.\n");
    expect(stderr).toContain("Which one?\n1) Red\n2) Blue\nwaiting: Paint it in a colour\nBlue\n");
    const [task] = await history(home);
    const shown = await run(home, ["show", task?.id ?? "", "--json"]);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      steps: [{ kind: "model" }, { kind: "tool", name: "ask_person", result: "Blue" }, {}],
    });
  });

  test("a question of a command is answered in its chat", async () => {
    const home = await scriptedHome(script);
    const asked = await run(home, ["--chat", "paint", "Paint it in a colour"]);
    expect([asked.stdout, asked.stderr]).toEqual([
      "",
      expect.stringContaining(
        "Which one?\nRed\nBlue\nIt goes on when you answer: agent -i --chat paint",
      ),
    ]);
    const { stdout } = await run(home, ["-i", "--chat", "paint"], { input: "1\n" });
    expect(stdout).toBe("It is painted.\n");
  });

  test("killed in the middle of a chat's answer, the next chat gets it once", async () => {
    const home = await scriptedHome(script);
    const first = start(home, ["-i"], { keepOpen: true });
    first.child.stdin?.write("Tell me a story\n");
    await first.saw("Once");
    first.child.kill("SIGKILL");
    await first.ended;
    const next = await run(home, ["-i"]);
    expect(next.stdout).toBe("Once upon a time there was a very long story.\n");
    expect((await run(home, ["-i"])).stdout).toBe("");
    expect(await history(home)).toMatchObject([{ state: "done" }]);
  });

  test("two terminals on one chat both see the answer", async () => {
    const home = await scriptedHome(script);
    const chats = [
      start(home, ["-i"], { keepOpen: true }),
      start(home, ["-i"], { keepOpen: true }),
    ];
    const [one, two] = chats;
    one?.child.stdin?.write("/status\n");
    two?.child.stdin?.write("/status\n");
    // A command is answered where both are there already or have come since: each has come once it was answered itself.
    await Promise.all(chats.map((chat) => chat.saw("Nothing is open in this chat.")));
    one?.child.stdin?.write("Tell me a story\n");
    await Promise.all(chats.map((chat) => chat.saw("very long story.\n")));
    for (const chat of chats) chat.child.stdin?.end();
    const ends = await Promise.all(chats.map(({ ended }) => ended));
    const story = { code: 0, stdout: "Once upon a time there was a very long story.\n" };
    expect(ends).toMatchObject([story, story]);
  });

  test("a model cannot steer the terminal", async () => {
    const { stdout } = await run(await scriptedHome(script), ["escape"]);
    expect(stdout).toBe("[31mred]0;title\tand\nplain\n");
  });

  test("one JSON object has what programs need", async () => {
    const home = await scriptedHome(script);
    const { stdout } = await run(home, ["--json", "--new", "@code", "hello"]);
    expect(JSON.parse(stdout)).toMatchObject({
      state: "done",
      agent: "code",
      deployment: "script",
      output: "Code in the moonlight.",
      failure: null,
    });
  });
});

const ann = 77;

const asking = `
scenes:
  - when: letter
    replies:
      - toolCalls: [{ name: ask_person, input: { question: "To whom?", choices: [Bob, Carol] } }]
      - { text: "# A letter\\n\\nDear friend,\\n\\n| a | b |\\n|---|---|\\n| 1 | 2 |\\n", piece: 6, delay: 150 }
  - replies: [{ text: "You said: {words}" }]
`;

/** What a person reads now, oldest first. */
function reads(telegram: FakeTelegram): (string | undefined)[] {
  return telegram.seen(ann).map(({ texts }) => texts.at(-1));
}

async function expectReads(telegram: FakeTelegram, line: RegExp, at = -1): Promise<void> {
  await expect.poll(() => reads(telegram).at(at)).toMatch(line);
  expect(telegram.violations).toEqual([]);
}

/** A home with a bot, and how its service is started. */
async function connected() {
  const telegram = await openTelegram();
  onTestFinished(() => telegram.close());
  const home = await scriptedHome(asking);
  const yaml = `telegram: { api_root: "${telegram.url}" }\n`;
  await writeFile(path.join(home, "config/bots.local.yaml"), yaml);
  const serve = async (): Promise<Running> => {
    const service = start(home, ["serve"], { env: { TELEGRAM_BOT_TOKEN: telegram.token } });
    await service.saw("Serving");
    return service;
  };
  return { home, telegram, serve };
}

describe("a message becomes an answer, in Telegram", () => {
  test("paired by a code, asked back, killed in the middle of the answer, it answers once when it is back", async () => {
    const { home, telegram, serve } = await connected();
    const first = await serve();
    const { stdout } = await run(home, ["people", "pair"]);
    telegram.write({ from: ann, text: /\d{3} ?\d{3}/.exec(stdout)?.[0] ?? "" });
    await expectReads(telegram, /^Connected/);

    // A task that waits for a person releases its chat.
    const asked = telegram.write({ from: ann, text: "Write a letter" });
    await expectReads(telegram, /^To whom\?/);
    const question = telegram.seen(ann).at(-1)?.messageId ?? 0;
    telegram.write({ from: ann, text: "hello" });
    await expectReads(telegram, /^You said: hello$/);
    telegram.press(ann, question, "Carol");
    await expect.poll(() => telegram.drafts(ann).length).toBeGreaterThan(0);

    // The plug is pulled while the answer streams.
    first.child.kill("SIGKILL");
    await first.ended;
    await serve();
    await expectReads(telegram, /^A letter[^]*Dear friend/);
    const answers = telegram.seen(ann).filter(({ replyTo }) => replyTo === asked);
    // Its question and its answer belong to the request, and nothing is there twice.
    expect(answers.map(({ texts }) => texts.at(-1)?.split("\n", 1)[0])).toEqual([
      "To whom?",
      "A letter",
    ]);

    // How it came about is a tap away, and so is what left the machine.
    telegram.press(ann, answers.at(-1)?.messageId ?? 0, "ⓘ");
    await expectReads(
      telegram,
      /script on this machine\n[^]*\n\d+ tokens read, \d+ written; no cost/,
    );
    telegram.write({ from: ann, text: "/privacy" });
    await expectReads(
      telegram,
      /^Cloud: never\.[^]*\nOnly to Telegram, which carries this chat\.$/,
    );

    // The terminal knows the same task, step by step.
    const letter = (await history(home)).find(({ output }) => output?.startsWith("# A letter"));
    const shown = JSON.parse((await run(home, ["show", letter?.id ?? "", "--json"])).stdout);
    expect(shown).toMatchObject({
      state: "done",
      steps: [
        { kind: "model" },
        { kind: "tool", name: "ask_person", result: "Carol" },
        { kind: "model" },
      ],
    });
    // What carried its answer is on its receipts.
    const { receipts } = Object(shown);
    expect(receipts).toContainEqual(
      expect.objectContaining({
        taskId: letter?.id,
        purpose: "chat",
        labels: ["personal"],
        status: 200,
      }),
    );
  });
});
