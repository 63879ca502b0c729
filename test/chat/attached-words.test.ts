import { expect, test } from "vitest";

import { requestWords } from "../../src/chat/attached-words.ts";

const common = { mediaType: "text/plain", size: 10, reference: "r" } as const;
const photo = { ...common, kind: "photo", name: "photo.jpg" } as const;
const notes = { ...common, kind: "document", name: "notes.txt" } as const;

test("a message of files alone asks with their names", () => {
  expect(requestWords({ text: "look", attachments: [photo] })).toBe("look");
  expect(requestWords({ text: " ", attachments: [photo, notes] })).toBe("[photo.jpg] [notes.txt]");
  expect(requestWords({ text: "", attachments: [] })).toBe("");
});
