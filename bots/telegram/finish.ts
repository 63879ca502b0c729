/** True where a fence is open at the end. */
function isInFence(markdown: string): boolean {
  let open = "";
  for (const line of markdown.split("\n")) {
    const [, fence = "", rest = ""] = /^\s*(?:>\s*)*(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
    if (fence === "") continue;
    if (open === "") open = fence;
    else if (fence.startsWith(open) && rest.trim() === "") open = "";
  }
  return open !== "";
}

/** The signs that are open at the end of these words, in the order in which they close. */
function openSigns(words: string): string {
  const open: string[] = [];
  for (const [sign] of words.matchAll(/\*\*|~~|`+/g)) {
    const code = open.at(-1)?.startsWith("`") === true;
    if (sign === open.at(-1)) open.pop();
    else if (!code && !open.includes(sign)) open.push(sign);
  }
  return open.toReversed().join("");
}

/**
 * An answer that is still being written, as it will most likely look: what is open at its end is closed, and a link without its end is
 * its words. An open fence is left to the parser, which closes it.
 */
export function finished(markdown: string): string {
  if (isInFence(markdown)) return markdown;
  const paragraph = markdown.lastIndexOf("\n\n");
  const row = markdown.lastIndexOf("\n|");
  const at = Math.max(paragraph === -1 ? 0 : paragraph + 2, row + 1);
  const words = markdown
    .slice(at)
    .replace(/!?\[([^[\]\n]*)(?:\]\([^()\s]*)?$/, "$1")
    .replace(/(?:\*{1,3}|~{1,2}|`{1,2}|_{1,2})$/, (sign, from, whole: string) =>
      openSigns(whole.slice(0, from)).startsWith(sign) ? sign : "",
    )
    .trimEnd();
  return markdown.slice(0, at) + words + openSigns(words);
}
