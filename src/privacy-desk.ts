import type { ChatStore } from "#core/chat-store.ts";
import { terminalPlatform } from "#core/chat.ts";
import { AppError, type ErrorCode, reasonOf } from "#core/errors.ts";
import type { Door, Purpose } from "#core/http.ts";
import type {
  CheckedPath,
  PrivacyChange,
  PrivacyDesk,
  PrivacyStore,
  PrivacyView,
} from "#core/privacy.ts";
import { platformTitle } from "#core/departures.ts";
import type { HostSettings, ModelSettings } from "#core/settings.ts";
import { trustOf } from "#core/trust.ts";

/** A chat service that the owner connected. */
export interface ConnectedPlatform {
  readonly name: string;
  /** Where its API is. */
  readonly url: string;
}

/** What the desk works with. */
export interface PrivacyDeskDeps {
  readonly store: () => Promise<PrivacyStore & Pick<ChatStore, "chat">>;
  /** Its rules are those of the settings by then. */
  readonly door: () => Promise<Door>;
  readonly models: () => Promise<Pick<ModelSettings, "cloud" | "hosts"> & { readonly hub: string }>;
  readonly platforms: () => Promise<readonly ConnectedPlatform[]>;
  /** The Ollamas that may be asked, by name; each tells whether it may call its own cloud, undefined where it does not know. */
  readonly ollamas: () => Promise<
    ReadonlyMap<string, { readonly cloudIsOn: () => Promise<boolean | undefined> }>
  >;
  /** The address of the package index; undefined where there is none. */
  readonly index: () => Promise<string | undefined>;
}

/** A way out, and whether it has to be shut. */
interface Way {
  readonly path: string;
  readonly url: string;
  readonly purpose: Purpose;
  /** Set where it ends in a cloud, whatever the address says. */
  readonly trust?: "cloud";
  /** What is said of it where it need not be shut, and why. */
  readonly allowed: string | undefined;
}

/** Reserved by RFC 2606: no such host exists, and nothing configured names it. */
const unnamedUrl = "https://unnamed.invalid/";

const localOnlyReason = "local-only is on everywhere";

/** What the door says where it lets nothing out. */
const refusals: ReadonlySet<ErrorCode> = new Set([
  "door.refused",
  "door.local-only",
  "door.no-host",
]);

/** Tries a way that must be shut. The signal is aborted before: where the door should let it pass, nothing is sent all the same. */
async function attempt(door: Door, { path, url, purpose, trust }: Way): Promise<CheckedPath> {
  const { host } = new URL(url);
  const use = { purpose, taskId: null, ...(trust === undefined ? {} : { trust }) };
  const shut = AbortSignal.abort(new Error("the door let it pass; nothing was sent"));
  try {
    await door.open(use)(url, { signal: shut });
    return { path, host, outcome: "failed", reason: "the door let it pass" };
  } catch (error) {
    const isRefusal = error instanceof AppError && refusals.has(error.code);
    return { path, host, outcome: isRefusal ? "refused" : "failed", reason: reasonOf(error) };
  }
}

function checkWay(door: Door, way: Way): Promise<CheckedPath> {
  const { path, url, allowed } = way;
  if (allowed === undefined) return attempt(door, way);
  return Promise.resolve({ path, host: new URL(url).host, outcome: "open", reason: allowed });
}

interface Held {
  readonly cloud: ModelSettings["cloud"];
  readonly localOnly: boolean;
}

const cloudReasons = {
  "when-asked": "when you ask for the cloud tier: models.cloud is when-asked",
  fallback:
    "when you ask for the cloud tier, and where no model at home answers: models.cloud is fallback",
} as const;

/** The models of one host; undefined for those of this machine, which never leave it. */
async function checkHost(
  door: Door,
  { cloud, localOnly }: Held,
  [name, settings]: readonly [string, HostSettings],
): Promise<CheckedPath | undefined> {
  if (settings.kind === "scripted") return undefined;
  const { origin: url, host, hostname, protocol } = new URL(settings.url);
  const trust = trustOf(hostname);
  const path = `models of ${name}`;
  if (trust === "local") return undefined;
  if (trust === "lan") {
    const reason = "on your home network: policy in config/models.yaml says which labels go there";
    return { path, host, outcome: "open", reason };
  }
  if (cloud === "never" && settings.kind === "ollama" && !localOnly) {
    const reason =
      "its name could point anywhere, so it counts as a cloud, and models.cloud is never";
    return { path, host, outcome: "held", reason };
  }
  // A plain name such as "nas" is most often one at home, whatever it counts as.
  const isClear = protocol === "http:" && hostname.includes(".");
  const clear = isClear ? "; whoever carries it can read it: write https in its url" : "";
  const allowed = cloud === "never" || localOnly ? undefined : cloudReasons[cloud] + clear;
  return checkWay(door, { path, url, purpose: "model", allowed });
}

interface Fetched {
  readonly hosts: ModelSettings["hosts"];
  readonly hub: string;
  readonly index: string | undefined;
}

function fetchedWays({ localOnly }: Held, { hosts, hub, index }: Fetched): Way[] {
  const allowed = (what: string): string | undefined =>
    localOnly ? undefined : `${what}; what is asked for is a file's name, and nothing of a person`;
  const models = allowed("when you pull a model (hub in config/models.yaml)");
  const wheels = allowed("when you pull a model that comes as a package (the index that pip uses)");
  const pulled = allowed("when you pull a model, which it gets from its registry");
  const pulls = Object.entries(hosts).flatMap(([name, host]): Way[] => {
    if (host.kind !== "ollama") return [];
    const url = new URL("/api/pull", host.url).href;
    const path = `models that ${name} is told to pull`;
    return [{ path, url, purpose: "model-download", trust: "cloud", allowed: pulled }];
  });
  return [
    ...pulls,
    { path: "model files", url: hub, purpose: "model-download", allowed: models },
    ...(index === undefined
      ? []
      : [{ path: "package index", url: index, purpose: "index" as const, allowed: wheels }]),
  ];
}

const absent: readonly CheckedPath[] = [
  [
    "web pages and search",
    "no tool of this version reads the web, and no rule names a host for it",
  ],
  ["telemetry", "there is none: nothing is reported to anybody"],
].map(([path = "", reason = ""]) => ({ path, host: null, outcome: "none", reason }));

/** What an Ollama does by itself is beyond our door: it is asked. */
async function checkOllamas({ ollamas }: PrivacyDeskDeps): Promise<CheckedPath[]> {
  return Promise.all(
    [...(await ollamas())].map(async ([name, ollama]): Promise<CheckedPath> => {
      const way = { path: `what ${name} sends by itself`, host: "ollama.com" };
      const fix = "set OLLAMA_NO_CLOUD=1 where it runs, and restart it";
      const isOn = await ollama.cloudIsOn().catch(() => null);
      if (isOn === null) {
        const reason = "it does not answer, so it is not known: check again when it runs";
        return { ...way, outcome: "none", reason };
      }
      if (isOn === false) return { ...way, outcome: "held", reason: "its own cloud is off" };
      const why = isOn === true ? "its own cloud is on" : "it is too old to say";
      return { ...way, outcome: "open", reason: `${why}: ${fix}` };
    }),
  );
}

async function check(deps: PrivacyDeskDeps): Promise<CheckedPath[]> {
  // The settings' hosts have their rules once the models are known.
  const { cloud, hosts, hub } = await deps.models();
  const [door, store] = [await deps.door(), await deps.store()];
  const index = await deps.index();
  const held = { cloud, localOnly: (await store.privacyRules(null)).has("local-only") };
  const models = await Promise.all(
    Object.entries(hosts).map((entry) => checkHost(door, held, entry)),
  );
  const ways = fetchedWays(held, { hosts, hub, index });
  const fetched = await Promise.all(ways.map((way) => checkWay(door, way)));
  const goesOn = held.localOnly ? ` ${localOnlyReason}, which leaves it on` : "";
  const platforms = (await deps.platforms()).map(({ name, url }): CheckedPath => {
    const reason = `you connected it: it carries the words of its own chats, and nothing else;${goesOn}`;
    const said = reason.replace(/;$/, "");
    return {
      path: `chats of ${platformTitle(name)}`,
      host: new URL(url).host,
      outcome: "open",
      reason: said,
    };
  });
  const unnamed = { path: "a host that no rule names", url: unnamedUrl, allowed: undefined };
  return [
    ...models.filter((path) => path !== undefined),
    ...(await checkOllamas(deps)),
    ...fetched,
    ...absent,
    ...platforms,
    await attempt(door, { ...unnamed, purpose: "model" }),
  ];
}

/** The owner's desk for privacy, over the store, the settings and the door. */
export function createPrivacyDesk(deps: PrivacyDeskDeps): PrivacyDesk {
  async function view(): Promise<PrivacyView> {
    const [{ cloud }, platforms] = [await deps.models(), await deps.platforms()];
    const rules = await (await deps.store()).storedRules();
    return { cloud, rules, platforms: platforms.map(({ name }) => name) };
  }

  async function checkChat({ chatId, holds }: PrivacyChange): Promise<void> {
    // What holds nowhere may be taken back anywhere, and a chat of the terminal need not have begun.
    if (chatId === null || !holds || chatId.startsWith(`${terminalPlatform}:`)) return;
    if ((await (await deps.store()).chat(chatId)) === undefined) {
      throw new AppError("usage.unknown-chat", { chat: chatId });
    }
  }

  return {
    view,
    async change(change) {
      await checkChat(change);
      const { rule, chatId, holds } = change;
      await (await deps.store()).setRule({ rule, chatId }, holds);
      return view();
    },
    check: () => check(deps),
  };
}
