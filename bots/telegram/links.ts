import { cleanText } from "./clean.ts";
import { type Inline, plainOf } from "./tree.ts";

/** Longer addresses carry data rather than lead somewhere. */
const longestTarget = 2048;
const longestShown = 60;

const leads: ReadonlySet<string> = new Set(["http:", "https:", "mailto:"]);

/** Characters of an address that mean something in Markdown. */
const risky = /[()<>[\]\\|`^{}~*]/g;

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

/**
 * Where a link may lead, in one form: a web or mail address, its host in ASCII, without a name and password, which only serve to look
 * like another host. Undefined for anything else.
 */
export function targetOf(address: string): string | undefined {
  if (address.length > longestTarget || !URL.canParse(address)) return undefined;
  const url = new URL(address);
  if (!leads.has(url.protocol)) return undefined;
  url.username = "";
  url.password = "";
  const head = url.protocol === "mailto:" ? url.protocol : `${url.protocol}//${url.host}`;
  const rest = `${url.pathname}${url.search}${url.hash}`
    .replaceAll(risky, percent)
    .replaceAll(/%(?![0-9a-f]{2})/gi, "%25");
  const target = cleanText(`${head}${rest}`);
  return target.length > longestTarget || target === "mailto:" ? undefined : target;
}

/** A target as a person reads it: the host always whole, a long rest cut. */
function shownAs(target: string): string {
  if (target.startsWith("mailto:")) return target.slice("mailto:".length).split("?", 1).join("");
  const { origin } = new URL(target);
  if (target.length <= longestShown) return target;
  return `${target.slice(0, Math.max(longestShown - 1, origin.length + 1))}…`;
}

/** True where the words are the address themselves, and in letters that cannot pass for others. */
function isItself(words: string, target: string): boolean {
  if (!/^[!-~]+$/.test(words)) return false;
  if (target.startsWith("mailto:")) return words === shownAs(target) || words === target;
  const url = new URL(target);
  if (!words.toLowerCase().includes(url.host)) return false;
  const address = /^https?:/i.test(words) ? words : `${url.protocol}//${words}`;
  return targetOf(address) === target;
}

/** A link as it is shown: words that are not its address are followed by it. */
export function linkTo(target: string, children: readonly Inline[]): Inline {
  const shown = shownAs(target);
  const words = plainOf(children);
  if (words.trim() === "")
    return { type: "link", target, children: [{ type: "text", text: shown }] };
  const says = isItself(words, target) || words.endsWith(`(${shown})`);
  if (says) return { type: "link", target, children };
  const last = children.at(-1);
  const before = last?.type === "text" ? last.text : "";
  const kept = last?.type === "text" ? children.slice(0, -1) : children;
  return {
    type: "link",
    target,
    children: [...kept, { type: "text", text: `${before} (${shown})` }],
  };
}

/** What leads nowhere: the words, and the address as mere letters. */
export function withoutLink(address: string, children: readonly Inline[]): readonly Inline[] {
  const words = plainOf(children);
  const shown = address.length > longestShown ? `${address.slice(0, longestShown - 1)}…` : address;
  if (address === "" || address.startsWith("#") || words === address) return children;
  return [
    ...children,
    { type: "text", text: words.trim() === "" ? "" : " " },
    { type: "code", text: shown },
  ];
}

const bare = /(?<![\p{L}\p{N}])https?:\/\/[^\s<>"`\\|^{}]+/giu;

/** An address in a text ends before punctuation, and before a bracket that it did not open. */
function ending(address: string): string {
  const cut = address.replace(/[.,:;!?'*_~]+$/, "");
  const opened = cut.split("(").length;
  const isOpen = cut.endsWith(")") && cut.split(")").length > opened;
  const next = isOpen || cut.endsWith("]") ? cut.slice(0, -1) : cut;
  return next === address ? next : ending(next);
}

/** A text with the web addresses in it as links. */
export function withLinks(text: string): readonly Inline[] {
  const found: Inline[] = [];
  let from = 0;
  for (const match of text.matchAll(bare)) {
    const address = ending(match[0]);
    const target = targetOf(address);
    if (target !== undefined) {
      found.push({ type: "text", text: text.slice(from, match.index) });
      found.push(linkTo(target, [{ type: "text", text: address }]));
      from = match.index + address.length;
    }
  }
  return [...found, { type: "text", text: text.slice(from) }];
}
