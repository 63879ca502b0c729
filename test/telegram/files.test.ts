import type { RequestListener } from "node:http";

import { describe, expect, test } from "vitest";

import { createApi } from "../../bots/telegram/api.ts";
import { createFileFetcher } from "../../bots/telegram/files.ts";
import { createBots } from "../../src/bots.ts";
import type { Attachment } from "../../src/core/chat.ts";
import { systemClock } from "../../src/core/clock.ts";
import { createSecret } from "../../src/core/secret.ts";
import { botSettingsSchema } from "../../src/core/settings.ts";
import { createFakeLog } from "../fakes/log.ts";
import { bodyOf } from "../fakes/play.ts";
import { openDoor } from "../fakes/receipts.ts";
import { closedOrigin, startServer } from "../fakes/server.ts";

const token = createSecret("TELEGRAM_BOT_TOKEN", "4242:stand-in-token");
const scan: Attachment = {
  kind: "document",
  name: "scan.pdf",
  mediaType: "application/pdf",
  size: 9,
  reference: "file-1",
};
const never = new AbortController().signal;

function fetcherAt(root: string) {
  const { door, receipts } = openDoor([
    { purpose: "chat", origin: new URL(root).origin, linksOut: false, platform: true },
  ]);
  const fetch = door.open({ purpose: "chat", taskId: null });
  const fetchFile = createFileFetcher({
    api: createApi(token, { root, fetch }),
    fetch,
    root,
    token,
  });
  return { fetchFile, receipts };
}

/** A Telegram that knows one file; `answer` is what getFile says, and `download` what its address gives. */
async function telegram(answer: object, download: RequestListener = () => undefined) {
  const paths: string[] = [];
  const root = await startServer((request, response) => {
    const path = request.url ?? "";
    paths.push(path.replace(token.reveal(), "TOKEN"));
    if (!path.endsWith("/getFile")) return download(request, response);
    void bodyOf(request).then(() => response.end(JSON.stringify(answer)));
  });
  return { ...fetcherAt(root), paths };
}

const found = (file_path?: string) => ({ ok: true, result: { file_id: "file-1", file_path } });
const refused = (error_code: number, description: string) => ({
  ok: false,
  error_code,
  description,
});

/** Everything that a failure holds, as a log could print it. */
function inside(error: unknown): string {
  const seen: string[] = [];
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    seen.push(at.message, String(at.stack), JSON.stringify(at));
  }
  return seen.join("\n");
}

describe("a file of a message", () => {
  test("is asked for by its reference and streamed from its address", async () => {
    const { fetchFile, paths, receipts } = await telegram(
      found("documents/a b.pdf"),
      (_, response) => response.writeHead(200, { "content-length": "9" }).end("some text"),
    );
    const { body, size } = await fetchFile(scan, never);
    expect(await new Response(body).text()).toBe("some text");
    expect(size).toBe(9);
    expect(paths).toEqual(["/botTOKEN/getFile", "/file/botTOKEN/documents/a%20b.pdf"]);
    expect(receipts().map(({ purpose }) => purpose)).toEqual(["chat", "chat"]);
    expect(JSON.stringify(receipts())).not.toContain(token.reveal());
  });

  test("that is too large for Telegram's own server is not even asked for", async () => {
    const { fetchFile, receipts } = fetcherAt("https://api.telegram.org");
    const large = { ...scan, size: 100_000_000 };
    await expect(fetchFile(large, never)).rejects.toThrow(
      "scan.pdf is 100 MB large, and at most 20 MB over Telegram can be taken: send a smaller file, or a part of it.",
    );
    expect(receipts()).toEqual([]);
  });

  test.each([
    ["chat.file-too-large", refused(400, "Bad Request: file is too big")],
    [
      "chat.file-unreachable",
      refused(400, "Bad Request: wrong file_id or the file is temporarily unavailable"),
    ],
    ["chat.file-gone", refused(400, "Bad Request: invalid file_id")],
    ["chat.file-unreachable", refused(429, "Too Many Requests: retry after 3")],
    ["chat.file-unreachable", refused(500, "Internal Server Error")],
    ["chat.file-unreachable", refused(401, "Unauthorized")],
    ["chat.file-unreachable", found()],
    ["chat.file-unreachable", found("../../elsewhere")],
    ["chat.file-unreachable", found("/etc/passwd")],
  ])("is refused as %s by %j", async (code, answer) => {
    const { fetchFile, paths } = await telegram(answer);
    await expect(fetchFile(scan, never)).rejects.toMatchObject({
      code,
      message: expect.stringContaining("scan.pdf"),
    });
    expect(paths).toHaveLength(1);
  });

  test("is unreachable where its address says no, and no failure holds the token", async () => {
    const failures: unknown[] = [];
    const gone = await telegram(found("documents/1"), (_, response) =>
      response.writeHead(404).end(),
    );
    const cut = await telegram(found("documents/1"), (_, response) => response.destroy());
    const nowhere = fetcherAt(await closedOrigin());
    for (const { fetchFile } of [gone, cut, nowhere]) {
      failures.push(await fetchFile(scan, never).catch((error: unknown) => error));
    }
    expect(failures).toMatchObject([
      { code: "chat.file-unreachable", message: expect.stringContaining("Telegram answers 404") },
      { code: "chat.file-unreachable", message: expect.stringContaining("cannot be reached") },
      { code: "chat.file-unreachable", message: expect.stringContaining("cannot be reached") },
    ]);
    expect(failures.map(inside).join("\n")).not.toContain(token.reveal());
  });

  test("ends with the signal, also in the middle of its content", async () => {
    const { fetchFile } = await telegram(found("documents/1"), (_, response) => {
      response.writeHead(200).write("half");
    });
    const stop = new AbortController();
    const { body } = await fetchFile(scan, stop.signal);
    const reader = body.getReader();
    await reader.read();
    stop.abort(new Error("stopped"));
    await expect(reader.read()).rejects.toThrow("stopped");
    await expect(fetchFile(scan, stop.signal)).rejects.toThrow("stopped");
  });
});

test("a file is on the receipts of the task that it is fetched for", async () => {
  const root = await startServer((request, response) => {
    if (request.url?.endsWith("/getFile") !== true) response.end("some text");
    else void bodyOf(request).then(() => response.end(JSON.stringify(found("documents/1"))));
  });
  const { door, receipts } = openDoor();
  const { platform } = createBots({
    settings: botSettingsSchema.parse({ telegram: { api_root: root } }),
    token,
    door,
    clock: systemClock,
    log: createFakeLog(() => {}),
    store: { heard: () => Promise.resolve(undefined) },
    files: {
      put: () => Promise.reject(new Error("nothing is kept here")),
      read: () => Promise.reject(new Error("nothing is kept here")),
    },
    onDeaf() {},
  });
  const fetched = await platform.fetchFile?.(scan, never, "task-1");
  expect(await new Response(fetched?.body).text()).toBe("some text");
  expect(receipts().map(({ taskId, trust }) => [taskId, trust])).toEqual([
    ["task-1", "local"],
    ["task-1", "local"],
  ]);
});
