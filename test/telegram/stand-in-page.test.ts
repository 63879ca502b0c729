import { expect, onTestFinished, test } from "vitest";

import { openPage } from "../fakes/telegram/page.ts";

import { ann, opened } from "./stand-in-api.ts";

async function withPage() {
  const stand = await opened();
  const page = await openPage(stand.telegram);
  onTestFinished(() => page.close());
  const act = (deed: object, headers: Record<string, string> = {}) =>
    fetch(`${page.url}/do`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(deed),
    });
  /** What a page is told when it opens. */
  const look = async (): Promise<string> => {
    const ended = new AbortController();
    const response = await fetch(`${page.url}/events`, { signal: ended.signal });
    const chunk = await response.body?.getReader().read();
    ended.abort();
    const [first = ""] = new TextDecoder().decode(chunk?.value).split("\n\n");
    return first;
  };
  return { ...stand, page, act, look };
}

test("what is done on the page is done in Telegram", async () => {
  const { telegram, api, act } = await withPage();
  const here = { chat: ann, from: ann };
  const file = { name: "a.txt", mime: "text/plain", base64: btoa("hi") };
  await act({ deed: "write", ...here, text: "hello", file });
  const { message_id: messageId } = await api.sendMessage(ann, "Go on?", {
    reply_markup: { inline_keyboard: [[{ text: "Yes", callback_data: "y" }]] },
  });
  await act({ deed: "press", ...here, messageId, button: "y" });
  await act({ deed: "change", ...here, messageId: 1, text: "hello!" });
  await act({ deed: "topic", ...here, name: "Trips" });
  await api.sendMessageDraft(ann, 3, "a", { can_stop: true });
  await act({ deed: "stop", ...here });
  expect(await api.getUpdates()).toMatchObject([
    { message: { caption: "hello", document: { file_name: "a.txt" } } },
    { callback_query: { data: "y" } },
    { edited_message: { caption: "hello!" } },
    { message: { forum_topic_created: { name: "Trips" } } },
    { stopped_message_generation: { draft_id: 3 } },
  ]);
  const none = await act({ deed: "press", ...here, messageId, button: "n" });
  expect([none.status, await none.text()]).toEqual([409, expect.stringContaining("has no button")]);
  expect(telegram.violations).toEqual([]);
});

test("what is shown is drawn without anything that runs or is fetched", async () => {
  const { telegram, api, look, page } = await withPage();
  telegram.write({ from: ann, text: "<script>alert(1)</script>" });
  const hostile =
    "**bold** <img src=x onerror=alert(1)> ![](https://a.example/i.png) [x](javascript:alert)";
  await api.sendRichMessage(ann, { markdown: hostile });
  const drawn = Array.from(
    (await look()).matchAll(/"html":("(?:[^"\\]|\\.)*")/g),
    ([, html]) => html,
  );
  expect(drawn).toHaveLength(2);
  expect(drawn.join()).toContain("<strong>bold</strong>");
  expect(drawn.join()).not.toMatch(/<script|<img|href=\\"javascript/);
  const { headers } = await fetch(page.url);
  expect(headers.get("content-security-policy")).toContain(
    "default-src 'none'; script-src 'nonce-",
  );
});

test("another site's page can do nothing", async () => {
  const { telegram, act } = await withPage();
  const deed = { deed: "write", chat: ann, from: ann, text: "hello" };
  expect((await act(deed, { origin: "https://evil.example" })).status).toBe(403);
  expect((await act(deed, { "content-type": "text/plain" })).status).toBe(403);
  expect(telegram.all(ann)).toEqual([]);
});
