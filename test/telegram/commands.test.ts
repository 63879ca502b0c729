import { describe, expect, test } from "vitest";

import {
  createCommandMenu,
  explainPrivacy,
  type MenuCommand,
} from "../../bots/telegram/commands.ts";

type SetCommands = Parameters<typeof createCommandMenu>[0]["setMyCommands"];

function setUp() {
  const sent: { readonly scope: unknown; readonly names: readonly string[] }[] = [];
  const warned: unknown[] = [];
  const state = { fails: false };
  const setMyCommands: SetCommands = (commands, other) => {
    if (state.fails) return Promise.reject(new Error("Bad Request: chat not found"));
    sent.push({ scope: other?.scope, names: commands.map(({ command }) => command) });
    return Promise.resolve(true);
  };
  const publish = createCommandMenu(
    { setMyCommands },
    { info: () => {}, bug: () => {}, warn: (_, fields) => void warned.push(fields?.["reason"]) },
  );
  return { sent, warned, state, publish };
}

const command = (name: string, shownTo: MenuCommand["shownTo"] = "all"): MenuCommand => ({
  name,
  about: `what ${name} does`,
  shownTo,
});
const commands = [command("ask"), command("history", "direct"), command("people", "owner")];

describe("the menu of commands", () => {
  test("shows each place what can be used there", async () => {
    const { sent, publish } = setUp();
    await publish(commands, [77]);
    expect(sent).toEqual([
      { scope: { type: "all_private_chats" }, names: ["ask", "history"] },
      { scope: { type: "all_group_chats" }, names: ["ask"] },
      { scope: { type: "chat", chat_id: 77 }, names: ["ask", "history", "people"] },
    ]);
  });

  test("is sent again only where it has changed", async () => {
    const { sent, publish } = setUp();
    await publish(commands, [77]);
    await publish(commands, [77]);
    expect(sent).toHaveLength(3);
    await publish([...commands, command("search", "owner")], [77]);
    expect(sent).toHaveLength(4);
  });

  test("holds the first dozen, and nothing that Telegram would refuse", async () => {
    const { sent, publish } = setUp();
    const many = Array.from({ length: 20 }, (_, at) => command(`c${at}`));
    await publish([command("Not-A-Name"), ...many], []);
    expect(sent[0]?.names).toEqual(many.slice(0, 12).map(({ name }) => name));
  });

  test("that is refused is only logged, and tried again the next time", async () => {
    const { sent, warned, state, publish } = setUp();
    state.fails = true;
    await publish(commands, [77]);
    expect(warned).toHaveLength(3);
    state.fails = false;
    await publish(commands, [77]);
    expect(sent).toHaveLength(3);
  });
});

test("privacy mode is explained where it is on", () => {
  const me = { id: 1, username: "heron_bot" };
  expect(explainPrivacy({ ...me, readsGroups: true })).toBeUndefined();
  const words = explainPrivacy({ ...me, readsGroups: false });
  expect(words).toContain("@heron_bot");
  expect(words).toContain("/setprivacy");
});
