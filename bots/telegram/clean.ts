/** The flags of England, Scotland and their like, which are written with invisible letters; all other invisible letters hide something. */
const flag = String.raw`\u{1F3F4}[\u{E0030}-\u{E0039}\u{E0061}-\u{E007A}]{1,8}\u{E007F}`;

/**
 * What is not seen, or turns around what is: control characters, bidirectional controls, invisible characters. The two joiners stay,
 * since emojis and several scripts need them. The three combining lines at the end are those that Telegram itself takes out.
 */
const unseen = [
  String.raw`[\0-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180E\u200B\u200E\u200F]`,
  String.raw`[\u202A-\u202E\u2060-\u206F\u3164\uFEFF\uFFA0\uFFF9-\uFFFB\u{1D173}-\u{1D17A}\u{E0000}-\u{E0FFF}]`,
  String.raw`[\u030A\u0333\u033F]`,
].join("|");

const tricks = new RegExp(`(${flag})|${unseen}`, "gu");

/** A text without what is not seen in it, and with line ends of one kind. It is well formed, so that it can be sent. */
export function cleanText(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/.\u030A/gu, (pair) => pair.normalize("NFC"))
    .replaceAll(/\r\n?|[\u2028\u2029]/g, "\n")
    .replaceAll(tricks, (_, kept: string | undefined) => kept ?? "");
}
