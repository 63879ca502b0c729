import { stat } from "node:fs/promises";
import path from "node:path";

import { describe, expect, test } from "vitest";
import { z } from "zod";

import { dialRaw, listenOn, send, stateOf } from "../fakes/control.ts";
import { emptyFolder } from "../fakes/folder.ts";
import { type Run, type Running, run, scriptedHome, start, writeScript } from "../fakes/program.ts";

const script = `
scenes:
  - when: story
    replies:
      - { text: "Once upon a time there was a very long story.", piece: 3, delay: 100 }
  - when: endless
    replies:
      - { text: "on and on and on and on and on and on", piece: 1, delay: 2000 }
  - replies:
      - text: "Code in the moonlight."
`;

const tasksSchema = z.array(
  z.object({
    id: z.string(),
    state: z.string(),
    output: z.string().nullable(),
    chatId: z.string(),
  }),
);

async function history(home: string) {
  const { stdout } = await run(home, ["history", "--json"]);
  return tasksSchema.parse(JSON.parse(stdout));
}

async function serve(home: string): Promise<Running> {
  const service = start(home, ["serve"]);
  await service.saw("Serving");
  return service;
}

/** One clear line, the right exit code, nothing on stdout. */
function expectOneLine(result: Run, code: number, line: RegExp): void {
  expect([result.code, result.stdout]).toEqual([code, ""]);
  expect(result.stderr.trim().split("\n")).toEqual([expect.stringMatching(line)]);
}

describe("a service", () => {
  test("takes the words of a command as its own task and streams the answer back", async () => {
    const home = await scriptedHome(script);
    const service = await serve(home);
    const answered = await run(home, ["Write a haiku"]);
    expect(answered).toEqual({ stdout: "Code in the moonlight.\n", stderr: "", code: 0 });
    await service.saw("task ended");
    const status = await run(home, ["status"]);
    expect([status.code, status.stdout]).toEqual([
      0,
      expect.stringContaining(`A service runs as process ${service.child.pid}`),
    ]);
  });

  test("stops a task when its client presses Ctrl-C, and lives on", async () => {
    const home = await scriptedHome(script);
    await serve(home);
    const client = start(home, ["Tell me a story"]);
    await client.saw("Once");
    client.child.kill("SIGINT");
    const ended = await client.ended;
    expect([ended.code, ended.stderr]).toEqual([130, expect.stringContaining("Stopped.")]);
    expect(await history(home)).toMatchObject([{ state: "cancelled" }]);
    expect((await run(home, ["Write a haiku"])).code).toBe(0);
  });

  test("a task goes on when its client has gone away", async () => {
    const home = await scriptedHome(script);
    await serve(home);
    const client = start(home, ["Tell me a story"]);
    await client.saw("Once");
    client.child.kill("SIGKILL");
    await client.ended;
    await expect.poll(() => history(home)).toMatchObject([{ state: "done" }]);
  });

  test("killed while four clients stream, each is told its task, and every task ends once", async () => {
    const home = await scriptedHome(script);
    const service = await serve(home);
    const chats = ["a", "b", "c", "d"];
    const clients = chats.map((chat) => start(home, ["--chat", chat, "Tell me a story"]));
    await Promise.all(clients.map((client) => client.saw("Once")));
    service.child.kill("SIGKILL");
    const ends = await Promise.all(clients.map(({ ended }) => ended));
    const ids = ends.map(({ code, stderr }) => {
      expect(code).toBe(75);
      expect(stderr.trim().split("\n")).toHaveLength(1);
      const [, id] = /task (\w{6}) goes on when it starts again/.exec(stderr) ?? [];
      return id ?? "";
    });
    expect(new Set(ids).size).toBe(4);
    await serve(home);
    for (const id of ids) {
      await expect
        .poll(async () => (await run(home, ["show", id])).stdout)
        .toContain("Answered Once upon a time there was a very long story.");
    }
    const tasks = await history(home);
    expect(tasks.map(({ state }) => state)).toEqual(["done", "done", "done", "done"]);
  });

  test("finishes what runs when it is asked to end, and takes nothing new", async () => {
    const home = await scriptedHome(script);
    const service = await serve(home);
    const client = start(home, ["Tell me a story"]);
    await client.saw("Once");
    const stopped = await run(home, ["stop"]);
    expect([stopped.code, stopped.stdout]).toEqual([0, "Stopped.\n"]);
    expect(await client.ended).toMatchObject({
      code: 0,
      stdout: "Once upon a time there was a very long story.\n",
    });
    expect((await service.ended).code).toBe(0);
  });

  test("parks what does not end within ten seconds, and its client is told the task", async () => {
    const home = await scriptedHome(script);
    const service = await serve(home);
    const client = start(home, ["endless"]);
    await service.saw("task started");
    service.child.kill("SIGTERM");
    const ended = await client.ended;
    expect(ended.code).toBe(75);
    expect(ended.stderr).toMatch(
      /The agent is stopping: task (\w{6}) goes on when it starts again/,
    );
    expect((await service.ended).code).toBe(0);
    await writeScript(home, 'scenes: [{ replies: [{ text: "Short after all." }] }]');
    await serve(home);
    await expect.poll(() => history(home)).toMatchObject([{ output: "Short after all." }]);
  });

  test("a second one says which is running", async () => {
    const home = await scriptedHome(script);
    const service = await serve(home);
    const line = new RegExp(`^A service is running already \\(process ${service.child.pid}\\)`);
    expectOneLine(await run(home, ["serve"]), 75, line);
  });

  test("a client that sends what is no frame is dropped, and the others are answered", async () => {
    const home = await scriptedHome(script);
    await serve(home);
    const { socket, ended } = await dialRaw(await stateOf(home));
    socket.write(Buffer.from("\u0000\u0000\u0000\u0005hello"));
    await ended;
    const huge = await dialRaw(await stateOf(home));
    huge.socket.write(Buffer.alloc(16, 0xff));
    await huge.ended;
    expect((await run(home, ["Write a haiku"])).stdout).toBe("Code in the moonlight.\n");
  });

  test("its socket is for its owner alone", async () => {
    const home = await scriptedHome(script);
    await serve(home);
    const { mode } = await stat(path.join(await stateOf(home), "control.sock"));
    expect(mode & 0o777).toBe(0o600);
  });

  test("works in a home whose path is too long for a socket", async () => {
    const home = path.join(await emptyFolder("long"), "x".repeat(120));
    await writeScript(home, script);
    await serve(home);
    expect((await run(home, ["Write a haiku"])).stdout).toBe("Code in the moonlight.\n");
  });
});

describe("whoever holds the data answers for others", () => {
  test("a one-shot ends only when what came through it is done", async () => {
    const home = await scriptedHome(script);
    const first = start(home, ["Tell me a story"]);
    await first.saw("Once");
    const second = start(home, ["--chat", "other", "Tell me another story"]);
    await second.saw("Once");
    expect((await second.ended).code).toBe(0);
    expect(await first.ended).toMatchObject({ code: 0 });
    expect(await history(home)).toMatchObject([{ state: "done" }, { state: "done" }]);
  });

  test("requests of one chat wait for each other, and say so", async () => {
    const home = await scriptedHome(script);
    const first = start(home, ["Tell me a story"]);
    await first.saw("Once");
    const second = await run(home, ["Write a haiku"]);
    expect(second.stderr).toContain("Waiting for an earlier request in this chat.");
    expect(second.stdout).toBe("Code in the moonlight.\n");
  });

  test("a chat whose holder has ended takes the data itself", async () => {
    const home = await scriptedHome(script);
    const holder = start(home, ["Tell me a story"]);
    await holder.saw("Once");
    const chat = start(home, ["-i"], { keepOpen: true });
    await chat.saw("/help says");
    await holder.ended;
    chat.child.stdin?.end("Write a haiku\n");
    expect(await chat.ended).toMatchObject({ code: 0, stdout: "Code in the moonlight.\n" });
  });

  test("an answer that came while its terminal was gone is shown when the chat is opened again", async () => {
    const home = await scriptedHome(script);
    const service = await serve(home);
    const gone = start(home, ["-i"], { keepOpen: true });
    gone.child.stdin?.write("Tell me a story\n");
    await gone.saw("Once");
    gone.child.kill("SIGKILL");
    await service.saw("task ended");
    const back = await run(home, ["-i"], { input: "Write a haiku\n" });
    expect(back.stdout).toBe(
      "Once upon a time there was a very long story.\nCode in the moonlight.\n",
    );
  });

  test("a service that is killed under a chat costs it no answer, and gives none twice", async () => {
    const home = await scriptedHome(script);
    const service = await serve(home);
    const chat = start(home, ["-i"], { keepOpen: true });
    chat.child.stdin?.end("Tell me a story\nWrite a haiku\n");
    await chat.saw("Once");
    service.child.kill("SIGKILL");
    const { stdout, code } = await chat.ended;
    expect(code).toBe(0);
    // What had been drawn of the answer stands before it.
    expect(stdout.match(/very long story\.\n/g)).toHaveLength(1);
    expect(stdout).toMatch(/very long story\.\nCode in the moonlight\.\n$/);
    expect((await history(home)).map(({ state }) => state)).toEqual(["done", "done"]);
  });

  test("many commands at once on a home that nobody holds are all answered", async () => {
    const home = await scriptedHome(script);
    const all = await Promise.all(
      ["a", "b", "c", "d", "e", "f"].map((chat) => run(home, ["--chat", chat, "Write a haiku"])),
    );
    expect(all.map(({ code, stdout }) => [code, stdout])).toEqual(
      all.map(() => [0, "Code in the moonlight.\n"]),
    );
    expect(await history(home)).toHaveLength(6);
  });

  test("agent stop ends no one-shot, and says what it is", async () => {
    const home = await scriptedHome(script);
    const holder = start(home, ["Tell me a story"]);
    await holder.saw("Once");
    const line = new RegExp(`^No service is running; process ${holder.child.pid} \\(a command\\)`);
    expectOneLine(await run(home, ["stop"]), 4, line);
  });
});

describe("what can be wrong with a control socket", () => {
  test("without a service, status and stop say how to start one", async () => {
    const home = await scriptedHome(script);
    const line = /^No service is running: start one with agent serve\.$/;
    expectOneLine(await run(home, ["status"]), 4, line);
    expectOneLine(await run(home, ["stop"]), 4, line);
  });

  test("a stale one is replaced", async () => {
    const home = await scriptedHome(script);
    const service = await serve(home);
    service.child.kill("SIGKILL");
    await service.ended;
    expect((await stat(path.join(await stateOf(home), "control.sock"))).isSocket()).toBe(true);
    expect((await run(home, ["Write a haiku"])).stdout).toBe("Code in the moonlight.\n");
  });

  test("one of another version is told in one sentence, and can still be ended", async () => {
    const home = await scriptedHome(script);
    const hello = { protocol: 1, version: "9.9.9", pid: 4711, kind: "service" };
    const calls: unknown[] = [];
    await listenOn(
      await stateOf(home),
      (socket, frame) => {
        calls.push(frame);
        send(socket, { id: 1, done: true, result: false });
      },
      (socket) => send(socket, { hello }),
    );
    const line =
      /^The agent that is running \(process 4711\) is of version 9\.9\.9 and this one is/;
    expectOneLine(await run(home, ["Write a haiku"]), 75, line);
    await run(home, ["stop"]);
    expect(calls).toEqual([{ id: 1, call: "shutdown", input: {} }]);
  });

  test("one whose process hangs is told with the process", async () => {
    const home = await scriptedHome(script);
    const service = await serve(home);
    service.child.kill("SIGSTOP");
    const line = new RegExp(`does not answer \\(process ${service.child.pid}\\)`);
    expectOneLine(await run(home, ["Write a haiku"]), 4, line);
  });
});
