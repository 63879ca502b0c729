/** Small words that are common in one language and rare in the others. */
const smallWords: Readonly<Record<string, readonly string[]>> = {
  de: "der die das und ist nicht ich ein eine einen mir mich wie wer warum für mit auf zu den dem im bitte kannst".split(
    " ",
  ),
  en: "the and is it i my to of a in for with what how why who please can you this that do does me".split(
    " ",
  ),
  es: "el la los las y es no un una mi por para con qué cómo cuál del al lo me en que de".split(
    " ",
  ),
  fr: "le la les et est pas je un une mon ma pour avec que qui comment pourquoi des du au ce moi dans de".split(
    " ",
  ),
  nl: "de het een en is niet ik mijn voor met wat hoe waarom wie van op te dat deze kun aan zijn".split(
    " ",
  ),
};

/** The language that a text seems to be in, by its small words; "unclear" where two or none fit best. */
export function languageOf(text: string): string {
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? [];
  const counts = Object.entries(smallWords).map(([language, known]) => ({
    language,
    count: words.filter((word) => known.includes(word)).length,
  }));
  const [best, next] = counts.toSorted((a, b) => b.count - a.count);
  if (best === undefined || best.count === 0 || best.count === next?.count) return "unclear";
  return best.language;
}
