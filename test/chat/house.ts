import path from "node:path";

import { expect, onTestFinished } from "vitest";

import { createRunner } from "../../src/agents/runner.ts";
import { createAttachments } from "../../src/chat/attachments.ts";
import { createChats } from "../../src/chat/chats.ts";
import { createSpeech } from "../../src/chat/parts.ts";
import { createPeople } from "../../src/chat/people.ts";
import type { ChatEvent, Manners, Sender } from "../../src/core/chat.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { Spending } from "../../src/core/ledger.ts";
import type { ModelRequest } from "../../src/core/model.ts";
import type { Router } from "../../src/core/router.ts";
import type { People } from "../../src/core/people.ts";
import { createScriptedModel, type Script } from "../../src/models/clients/scripted.ts";
import { openFileStore } from "../../src/store/file-store.ts";
import { openStore, type SqliteStore } from "../../src/store/open-store.ts";
import { createAskPersonTool } from "../../src/tools/ask-person.ts";
import { makeAgent } from "../fakes/agents.ts";
import { emptyFolder } from "../fakes/folder.ts";
import { createFakeLog } from "../fakes/log.ts";
import { createFakePlatform, type FakePlatform } from "../fakes/platform.ts";
import { createDeskOver } from "../fakes/privacy.ts";
import { createSingleRouter } from "../fakes/router.ts";

const bot = { platform: "fake", account: "1" };

/** Private chats show drafts, groups edit. */
export const drafts: Manners = { live: "draft", liveEveryMs: 100, burst: 100, everyMs: 0 };

/** Chats over a real store and a scripted model, with people who write and press. */
export interface House {
  readonly store: SqliteStore;
  readonly platform: FakePlatform;
  /** What the model was asked, in order. */
  readonly requests: readonly ModelRequest[];
  readonly bugs: readonly unknown[];
  /** Somebody writes; gives the message's id. */
  write(
    text: string,
    more?: { readonly from?: string; readonly forwarded?: boolean; readonly replyTo?: string },
  ): Promise<string>;
  /** Somebody presses a button that is to be seen. */
  press(label: string, from?: string): Promise<void>;
  happen(event: ChatEvent): Promise<void>;
  /** Ends this process's part as a crash would, and begins again on the same data. */
  restart(): Promise<House>;
}

const accounts: Readonly<Record<string, string>> = { ann: "1", bob: "2", eve: "3" };

/** A sender by this name: Ann is the owner, Bob a member, Eve a stranger. */
export function sender(name: string): Sender {
  return { platform: "fake", accountId: accounts[name] ?? "0", name, kind: "person" };
}

async function openPeople(store: SqliteStore, platform: FakePlatform): Promise<People> {
  const rules = { owners: [1], chats: { here: { allow: "people", answer: "addressed" } } } as const;
  const people = createPeople({ store, clock: systemClock, platforms: { fake: rules } });
  if ((await store.personOf(sender("bob"))) !== undefined) return people;
  const { code } = await people.invite("Bob");
  const place = { platform: "fake", address: "Bob's own", kind: "direct" } as const;
  const more = {
    messageId: "0",
    replyTo: null,
    addressed: true,
    forwarded: false,
    attachments: [],
  };
  const event = { type: "message", place, from: sender("bob"), text: code, ...more } as const;
  const [update] = await people.screen([{ updateId: "0", event }]);
  if (update?.event.type === "message") await people.admit(platform, update.event);
  return people;
}

/** Opens a house whose one chat is Ann's own, or a group. */
export async function openHouse(
  script: Script,
  options: {
    readonly folder?: string;
    readonly manners?: Manners;
    readonly kind?: "direct" | "group";
    readonly platform?: FakePlatform;
    readonly next?: number;
    /** Stands between the router and the runner. */
    readonly routed?: (router: Router) => Router;
    readonly spending?: readonly Spending[];
    /** The names of the agents. */
    readonly agents?: readonly string[];
    /** Stands between the store and everything that works with it. */
    readonly between?: (store: SqliteStore) => SqliteStore;
  } = {},
): Promise<House> {
  const { manners = drafts, kind = "direct", agents = ["assistant"] } = options;
  const folder = options.folder ?? (await emptyFolder("house"));
  const platform = options.platform ?? createFakePlatform("fake", manners);
  const opened = await openStore({ folder, clock: systemClock });
  const store = options.between?.(opened) ?? opened;
  onTestFinished(() => store.close());
  const requests: ModelRequest[] = [];
  const bugs: unknown[] = [];
  const scripted = createScriptedModel({ id: "scripted", script, clock: systemClock });
  const model: typeof scripted = {
    ...scripted,
    stream(request, signal) {
      requests.push(request);
      return scripted.stream(request, signal);
    },
  };
  const log = createFakeLog((error) => void bugs.push(error));
  const platforms = new Map([["fake", platform]]);
  const files = await openFileStore(path.join(folder, "files"));
  const deps = { store, platforms, clock: systemClock, log };
  const attachments = createAttachments({ ...deps, files, mostBytes: 1_000_000 });
  const single = createSingleRouter(model, systemClock);
  const runner = createRunner(
    {
      store,
      router: options.routed?.(single) ?? single,
      tools: [createAskPersonTool()],
      clock: systemClock,
      log,
      speech: createSpeech(platforms),
      prepare: attachments.prepare,
    },
    agents.map((name) => makeAgent({ name, tools: ["ask_person"] })),
  );
  const chats = createChats({
    ...deps,
    runner,
    attachments,
    agents,
    privacy: createDeskOver(store),
    spending: () => Promise.resolve(options.spending ?? []),
    people: await openPeople(store, platform),
  });
  await chats.start("fake");
  const state = { next: options.next ?? 1 };
  const place = { platform: "fake", address: "here", kind } as const;
  const happen = (event: ChatEvent): Promise<void> =>
    chats.accept(bot, [{ updateId: `u${state.next++}`, event }]);
  return {
    store,
    platform,
    requests,
    bugs,
    happen,
    async write(text, { from = "ann", replyTo = null, forwarded = false } = {}) {
      const messageId = String(state.next);
      const more = { addressed: true, forwarded, attachments: [] } as const;
      await happen({
        type: "message",
        place,
        from: sender(from),
        messageId,
        text,
        replyTo: replyTo ?? null,
        ...more,
      });
      return messageId;
    },
    press: (label, from = "ann") =>
      happen({
        type: "press",
        place,
        from: sender(from),
        pressId: `p${state.next}`,
        ...platform.buttonOf("here", label),
      }),
    async restart() {
      await runner.stop(0);
      await chats.stop(0);
      await store.close();
      return openHouse(script, { ...options, folder, platform, next: state.next + 100 });
    },
  };
}

/** Waits until the chat's messages say this. */
export async function expectReads(house: House, ...texts: readonly string[]): Promise<void> {
  await expect.poll(() => house.platform.texts("here")).toEqual(texts);
}
