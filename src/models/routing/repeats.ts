/** Characters that are looked at, and the longest piece whose repetition fills them. */
const span = 1200;
const longestPiece = 100;
/** A look costs time in the order of `span`, so it is not taken at each token. */
const every = 200;

/** The smallest period of a text (the failure function of Knuth, Morris and Pratt). */
function periodOf(text: string): number {
  const borders = [0];
  for (let at = 1; at < text.length; at += 1) {
    let length = borders[at - 1] ?? 0;
    while (length > 0 && text[at] !== text[length]) length = borders[length - 1] ?? 0;
    borders.push(text[at] === text[length] ? length + 1 : 0);
  }
  return text.length - (borders.at(-1) ?? 0);
}

/** Tells a model that has begun to say one thing for ever, by its text as it comes. */
export function createRepeatGuard(): { push(text: string): boolean } {
  const state = { tail: "", unseen: 0 };
  return {
    push(text) {
      state.tail = (state.tail + text).slice(-span);
      state.unseen += text.length;
      if (state.unseen < every || state.tail.length < span) return false;
      state.unseen = 0;
      return periodOf(state.tail) <= longestPiece;
    },
  };
}
