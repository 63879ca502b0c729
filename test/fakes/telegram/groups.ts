import { botUser, chatOf, userOf } from "./draw.ts";
import { dropTopic, makeTopic } from "./methods/topics.ts";
import { announce } from "./person.ts";
import {
  bot,
  changed,
  type Chat,
  chatIn,
  firstSupergroup,
  personIn,
  plainLook,
  seconds,
  show,
  type World,
} from "./world.ts";

/** What people do with chats, and with the bot in them. */
export interface Hosts {
  /** A person blocks the bot, or lets it in again. */
  block(person: number): void;
  unblock(person: number): void;
  /** A person's account is no more. */
  deactivate(person: number): void;
  /** Makes a group with the bot in it. A forum is a supergroup (below -1,000,000,000,000). */
  addBot(group: {
    readonly group: number;
    readonly from: number;
    readonly title?: string;
    readonly forum?: boolean;
    readonly admin?: boolean;
  }): void;
  kick(group: number, from: number): void;
  /** The bot may not write in a group any more, or may again. */
  mute(group: number, muted: boolean): void;
  /** A person comes into a group. */
  join(group: number, person: number): void;
  /** A group becomes a supergroup; gives its new number. */
  migrate(group: number): number;
  /** A person opens a topic; without a name it has one that Telegram made. Gives its number. */
  openTopic(topic: {
    readonly chatId: number;
    readonly from: number;
    readonly name?: string;
  }): number;
  closeTopic(chatId: number, topic: number): void;
  deleteTopic(chatId: number, topic: number): void;
}

type Standing = Chat["bot"];

/** What the bot is in a chat changes, and it is told. */
function stand(world: World, chat: Chat, asked: { from: number; to: Standing }): void {
  const draw = (status: Standing): object => ({ status, user: botUser });
  const before = draw(chat.bot);
  chat.bot = asked.to;
  changed(world, chat.id);
  world.put({
    my_chat_member: {
      chat: chatOf(world, chat),
      from: userOf(personIn(world, asked.from)),
      date: seconds(world),
      old_chat_member: before,
      new_chat_member: draw(asked.to),
    },
  });
}

function addBot(world: World, asked: Parameters<Hosts["addBot"]>[0]): void {
  const { group, from, title = "Group", forum = false, admin = false } = asked;
  const chat = chatIn(world, group);
  Object.assign(chat, { title, forum });
  if (forum && chat.type !== "supergroup") {
    throw new Error("a forum is a supergroup");
  }
  chat.members.add(from);
  personIn(world, from);
  chat.bot = "left";
  stand(world, chat, { from, to: admin ? "administrator" : "member" });
  const service = { new_chat_members: [botUser] };
  announce(world, chat, show(world, chat, { by: from, look: plainLook(""), service }));
}

function migrate(world: World, group: number): number {
  const old = chatIn(world, group);
  const id = firstSupergroup - Math.abs(group);
  const [by = bot.id] = old.members;
  const look = plainLook("");
  const gone = { migrate_to_chat_id: id };
  announce(world, old, show(world, old, { by, look, service: gone }));
  old.movedTo = id;
  const chat = chatIn(world, id);
  Object.assign(chat, { title: old.title, bot: old.bot });
  for (const member of old.members) chat.members.add(member);
  const come = { migrate_from_chat_id: group };
  announce(world, chat, show(world, chat, { by, look, service: come }));
  return id;
}

function openTopic(world: World, asked: Parameters<Hosts["openTopic"]>[0]): number {
  const { chatId, from, name } = asked;
  const chat = chatIn(world, chatId);
  if (chat.type !== "private" && !chat.forum) throw new Error(`chat ${chatId} is no forum`);
  personIn(world, from);
  const made = { by: from, name: name ?? "New Chat", implicit: name === undefined };
  const { id } = makeTopic(world, chat, made);
  const note = chat.messages.get(id);
  if (note !== undefined) announce(world, chat, note);
  return id;
}

/** People who make groups and topics, and who turn the bot away. */
export function createHosts(world: World): Hosts {
  return {
    block: (person) => stand(world, chatIn(world, person), { from: person, to: "kicked" }),
    unblock: (person) => stand(world, chatIn(world, person), { from: person, to: "member" }),
    deactivate: (person) => void (chatIn(world, person).deleted = true),
    addBot: (asked) => addBot(world, asked),
    kick: (group, from) => stand(world, chatIn(world, group), { from, to: "kicked" }),
    mute: (group, muted) => void (chatIn(world, group).muted = muted),
    join(group, person) {
      const chat = chatIn(world, group);
      chat.members.add(person);
      const service = { new_chat_members: [userOf(personIn(world, person))] };
      announce(world, chat, show(world, chat, { by: person, look: plainLook(""), service }));
    },
    migrate: (group) => migrate(world, group),
    openTopic: (asked) => openTopic(world, asked),
    closeTopic(chatId, id) {
      const topic = chatIn(world, chatId).topics.get(id);
      if (topic !== undefined) topic.state = "closed";
      changed(world, chatId);
    },
    deleteTopic: (chatId, topic) => dropTopic(world, chatIn(world, chatId), topic),
  };
}
