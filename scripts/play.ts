import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";

import { launcher } from "../bench/program.ts";
import { botHome } from "../test/fakes/telegram/home.ts";
import { chatIn } from "../test/fakes/telegram/world.ts";
import { openPage } from "../test/fakes/telegram/page.ts";
import { type FakeTelegram, openTelegram } from "../test/fakes/telegram/server.ts";

const owner = 1001;
const stranger = 1002;
const group = -500;
const forum = -1_000_000_000_600;

const use = `npm run play -- telegram [--home FOLDER] [--model MODEL]

Starts the agent with a Telegram of its own, and a page on which you talk to it. Without a home it has
one for this time, and a model that follows a script; --model names another (see config/models.yaml).`;

const script = `scenes:
  - when: slow
    replies:
      - text: "# A long story\\n\\nThere was **once** an agent that took its time, word by word, to show how an answer streams while it is made.\\n\\n- first it thought\\n- then it wrote\\n\\n\`\`\`js\\nconst end = true;\\n\`\`\`"
        piece: 4
        delay: 120
  - when: table
    replies: [{ text: "| day | weather |\\n|---|---|\\n| today | sun |\\n| tomorrow | rain |" }]
  - replies: [{ text: "You said: **{words}**\\n\\nTry *slow*, *table*, /help or /stop." }]
`;

const mark = "# Written by npm run play: it goes away by itself.\n";

/** Writes the bot's settings into a home that has none of its own; gives what takes them away. */
async function lendSettings(home: string, telegram: FakeTelegram): Promise<() => Promise<void>> {
  const file = path.join(home, "config/bots.local.yaml");
  if (existsSync(file) && !(await readFile(file, "utf8")).startsWith(mark)) {
    throw new Error(`${file} is yours: take a home without it, or none at all`);
  }
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `${mark}telegram: { api_root: "${telegram.url}", owners: [${owner}] }\n`);
  return () => rm(file, { force: true });
}

/** A home for this time; its model is the script's, or the one that was named. */
async function lendHome(telegram: FakeTelegram, model: string | undefined) {
  const home = await botHome(telegram, [owner], script);
  if (model !== undefined) {
    await writeFile(path.join(home, "config/models.local.yaml"), `use: ${JSON.stringify(model)}\n`);
  }
  return { home, giveBack: () => rm(home, { recursive: true, force: true }) };
}

/** The people and places that a person finds. A home may know what an earlier stand-in said: all that is said now is newer. */
function furnish(telegram: FakeTelegram): void {
  const { people, chats } = telegram.world;
  const now = Math.floor(Date.now() / 1000);
  telegram.jump(now);
  telegram.world.lastMessage = now;
  people.set(owner, { id: owner, name: "You", isBot: false });
  people.set(stranger, { id: stranger, name: "Ben, a stranger", isBot: false });
  // They have pressed Start: the bot may write to them.
  chatIn(telegram.world, owner);
  chatIn(telegram.world, stranger);
  telegram.addBot({ group, from: owner, title: "Kitchen" });
  telegram.join(group, stranger);
  telegram.addBot({ group: forum, from: owner, title: "House", forum: true, admin: true });
  for (const chat of chats.values()) chat.lastMessage = now;
  telegram.openTopic({ chatId: forum, from: owner, name: "Plans" });
}

async function play(): Promise<number> {
  const options = { home: { type: "string" }, model: { type: "string" } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (
    positionals.join() !== "telegram" ||
    (values.home !== undefined && values.model !== undefined)
  ) {
    console.error(use);
    return 2;
  }
  const telegram = await openTelegram();
  const lent =
    values.home === undefined
      ? await lendHome(telegram, values.model)
      : { home: values.home, giveBack: await lendSettings(values.home, telegram) };
  const page = await openPage(telegram);
  furnish(telegram);
  const child = spawn(process.execPath, [launcher, "--home", lent.home, "serve"], {
    stdio: "inherit",
    env: { ...process.env, TELEGRAM_BOT_TOKEN: telegram.token },
  });
  // Ctrl+C reaches the agent too: it ends by itself, and so do we.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => void child.kill("SIGTERM"));
  console.log(`Talk to the bot: ${page.url}/`);
  await once(child, "exit");
  page.close();
  telegram.close();
  await lent.giveBack();
  return child.exitCode ?? 0;
}

process.exitCode = await play();
