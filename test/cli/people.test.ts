import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, test } from "vitest";

import { type Run, run, scriptedHome, start } from "../fakes/program.ts";

const script = `
scenes:
  - replies: [{ text: "Hello." }]
`;

function expectOneLine(result: Run, code: number, line: RegExp): void {
  expect([result.code, result.stdout]).toEqual([code, ""]);
  expect(result.stderr.trim().split("\n")).toEqual([expect.stringMatching(line)]);
}

describe("agent people", () => {
  test("lists everybody, with the accounts that the settings name", async () => {
    const home = await scriptedHome(script);
    expect(await run(home, ["people"])).toEqual({
      stdout: "owner  no account yet\n",
      stderr: "",
      code: 0,
    });
    await writeFile(path.join(home, "config/bots.local.yaml"), "telegram: { owners: [77] }\n");
    const { stdout } = await run(home, ["people", "list"]);
    expect(stdout).toBe("owner  telegram:77 (telegram.owners in config/bots.yaml)\n");
    const json = await run(home, ["people", "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject([{ role: "owner", name: null }]);
  });

  test("makes codes, beside a service too, and says what is missing", async () => {
    const home = await scriptedHome(script);
    const pair = await run(home, ["people", "pair"]);
    expect(pair.stdout).toMatch(
      /^Write \d{3} \d{3} to your bot in a private chat, within ten minutes\.\n$/,
    );
    expect(pair.stderr).toBe("There is no bot yet: agent setup telegram makes one.\n");
    const env = { TELEGRAM_BOT_TOKEN: "4242:stand-in-token-of-telegram" };
    const invite = await run(home, ["people", "invite", "Bob", "Smith"], { env });
    expect(invite.stdout).toMatch(/^Bob Smith writes \d{3} \d{3} to your bot/);
    expect(invite.stderr).toBe("Nobody hears it yet: start agent serve.\n");
    const service = start(home, ["serve"]);
    await service.saw("Serving");
    const beside = await run(home, ["people", "pair", "--json"]);
    expect(JSON.parse(beside.stdout)).toMatchObject({
      code: expect.stringMatching(/^\d{3} \d{3}$/),
    });
  });

  test.each([
    ["nobody of that name", ["remove", "Eve"], /^There is no member called "Eve": agent people/],
    ["the owner", ["remove", "owner"], /^The owner cannot be removed/],
    ["no such account", ["unlink", "telegram:5"], /^There is no account "telegram:5" here/],
    ["a wrong code", ["claim", "123456"], /^That code is wrong, used or too old/],
    ["what is no code", ["claim", "hello"], /^A code is six digits/],
    ["a name that is none", ["invite", "<b>"], /^A member's name is letters, digits/],
    [
      "an invitation without a name",
      ["invite"],
      /^agent people invite is not known, or not whole: use list, pair/,
    ],
    [
      "an unknown action",
      ["add", "Bob"],
      /^agent people add Bob is not known, or not whole: use list, pair/,
    ],
  ])("%s is one line", async (_, args, line) => {
    expectOneLine(await run(await scriptedHome(script), ["people", ...args]), 2, line);
  });
});

describe("the settings of bots", () => {
  test("a group is opened by its number, and the file reads back as it was meant", async () => {
    const home = await scriptedHome(script);
    const file = path.join(home, "config/bots.local.yaml");
    const key = "bots.telegram.chats.-1001234567890";
    const set = await run(home, ["config", "set", key, "people"]);
    expect([set.code, set.stderr]).toEqual([0, "Written to config/bots.local.yaml.\n"]);
    expect(await readFile(file, "utf8")).toBe(
      'telegram:\n  chats:\n    "-1001234567890": people\n',
    );
    await run(home, ["config", "set", "bots.telegram.chats.-5", "{ allow: owner, answer: all }"]);
    await run(home, ["config", "set", "bots.telegram.receipts", "false"]);
    await run(home, ["config", "set", "bots.telegram.owners", "[77]"]);
    const { stdout } = await run(home, ["config", "get", "bots.telegram"]);
    expect(stdout).toContain(`${key} = people  (yours)\n`);
    expect(stdout).toContain("bots.telegram.chats.-5.answer = all  (yours)\n");
    expect(stdout).toContain("bots.telegram.receipts = false  (yours)\n");
    expect((await run(home, ["people"])).stdout).toContain("telegram:77");
  });

  test("a number that was written without quotes is the same group", async () => {
    const home = await scriptedHome(script);
    const file = path.join(home, "config/bots.local.yaml");
    await writeFile(file, "telegram:\n  chats:\n    -5: owner\n");
    const set = await run(home, ["config", "set", "bots.telegram.chats.-5", "people"]);
    expect(set.code).toBe(0);
    const { stdout } = await run(home, ["config", "get", "bots.telegram.chats.-5"]);
    expect(stdout).toBe("bots.telegram.chats.-5 = people  (yours)\n");
  });

  test.each([
    [
      "a policy that is none",
      ["bots.telegram.chats.-5", "everybody"],
      /^config\/bots\.local\.yaml: the key telegram\.chats\.-5 must be nobody, owner or people/,
    ],
    [
      "a group that is none",
      ["bots.telegram.chats.friends", "people"],
      /^config\/bots\.local\.yaml: the key telegram\.chats\.friends must be a group's number, such as -100/,
    ],
    [
      "an owner by name",
      ["bots.telegram.owners", "['@ann']"],
      /^config\/bots\.local\.yaml: the key telegram\.owners\.0 must be a number such as 123456789/,
    ],
    [
      "a misspelt key",
      ["bots.telegram.reciepts", "false"],
      /there is no key telegram\.reciepts: did you mean receipts\?$/,
    ],
    [
      "an address that is none",
      ["bots.telegram.api_root", "here"],
      /the key telegram\.api_root must be an address such as https:\/\/api\.telegram\.org\.$/,
    ],
  ])("%s is one line with file, key and fix", async (_, args, line) => {
    expectOneLine(await run(await scriptedHome(script), ["config", "set", ...args]), 2, line);
  });
});
