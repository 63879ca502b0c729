/** A kind of structured identifier. Every pattern looks at each character a bounded number of times. */
export interface IdentifierKind {
  readonly name: string;
  readonly pattern: RegExp;
  /** What each has in it: texts without it are not looked through. */
  readonly mark?: string;
  /** The beginning of what was found that is one, since other numbers may follow it; undefined where none is. Absent: all of it is. */
  readonly within?: (found: string) => string | undefined;
}

/** The beginning of a text that has so many letters and digits, unless it would end in the middle of a word. */
function beginning(text: string, length: number): string | undefined {
  const spots = [...text.matchAll(/[A-Za-z0-9]/g)].map(({ index }) => index);
  const last = spots[length - 1];
  return last === undefined || spots[length] === last + 1 ? undefined : text.slice(0, last + 1);
}

const pem =
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!----)){0,20000}-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----/;

/** Keys by the beginnings that services give them, so that no word of a language is one. */
const keys: readonly RegExp[] = [
  pem,
  // OpenAI, Anthropic, OpenRouter
  /\bsk-(?=[\w-]{0,60}\d)[\w-]{19,}\w/,
  // Stripe
  /\b[spr]k_(?:live|test)_\w{16,}/,
  // GitHub, GitLab, Slack
  /\bgh[oprsu]_\w{30,}|\bgithub_pat_\w{40,}|\bglpat-[\w-]{20,}|\bxox[abeoprs]-[\w-]{10,}/,
  // AWS, Google
  /\bA[KS]IA[A-Z0-9]{16}\b|\bAIza[\w-]{35}(?!\w)/,
  // Hugging Face, npm, PyPI, Groq, xAI, DigitalOcean, SendGrid
  /\bhf_\w{30,}|\bnpm_\w{36}\b|\bpypi-[\w-]{50,}|\b(?:gsk_|xai-|dop_v1_)\w{40,}/,
  /\bSG\.[\w-]{16,64}\.[\w-]{16,}/,
  // JSON web tokens (RFC 7519), bots of Telegram
  /(?<![\w-])eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}/,
  /\b\d{8,10}:[\w-]{35}(?![\w-])/,
];

/** How long the account numbers of a country are (the registry of ISO 13616). */
const accountLengths: ReadonlyMap<string, number> = new Map(
  (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 " +
    "FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 " +
    "LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 " +
    "SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
  )
    .split(" ")
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** The check digits of an account number (ISO 13616). */
function accountIn(found: string): string | undefined {
  const length = accountLengths.get(found.slice(0, 2).toUpperCase());
  const account = length === undefined ? undefined : beginning(found, length);
  if (account === undefined) return undefined;
  const text = account.toUpperCase().replaceAll(/[^A-Z0-9]/g, "");
  const turned = text.slice(4) + text.slice(0, 4);
  const digits = turned.replaceAll(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
  const rest = Array.from(digits, Number).reduce((left, digit) => (left * 10 + digit) % 97, 0);
  return rest === 1 ? account : undefined;
}

/** Luhn's check (ISO/IEC 7812-1). */
function isChecked(digits: string): boolean {
  const sum = Array.from(digits, Number)
    .toReversed()
    .reduce((total, digit, at) => {
      const value = at % 2 === 0 ? digit : digit * 2;
      return total + (value > 9 ? value - 9 : value);
    }, 0);
  return sum % 10 === 0;
}

/** How the numbers of the usual cards begin, and how long they are. Without it a tenth of all long numbers would be one. */
const cards: readonly { readonly begins: RegExp; readonly lengths: readonly number[] }[] = [
  { begins: /^4/, lengths: [16, 19] },
  { begins: /^(?:5[1-5]|2[2-7]|35)/, lengths: [16] },
  { begins: /^3[47]/, lengths: [15] },
  { begins: /^3[0689]/, lengths: [14] },
  { begins: /^6/, lengths: [16, 19, 18, 17] },
];

function cardIn(found: string): string | undefined {
  const lengths = cards.find(({ begins }) => begins.test(found))?.lengths ?? [];
  return lengths
    .map((length) => beginning(found, length))
    .find((card) => card !== undefined && isChecked(card.replaceAll(/\D/g, "")));
}

/** What begins as a phone's number does and is none: a date, an IP address, digits of a computer, a number with zeros before it. */
const noPhone =
  /^\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d\d(?!\d)|^\d{1,3}(?:\.\d{1,3}){3}$|^[01\W]+$|^0000?|^\+0/;

/** The old way to dial abroad. */
const abroad = /^00[1-9]/;

function phoneIn(found: string): string | undefined {
  const isAbroad = abroad.test(found);
  if (noPhone.test(found) && !isAbroad) return undefined;
  // What was written in one piece ends there.
  const whole = /^\+?\d{9,15}(?!\d)/.exec(found)?.[0];
  const digits = found.replaceAll(/\D/g, "").length;
  const phone = whole ?? (digits > 15 ? beginning(found, 15) : found);
  const least = isAbroad ? 11 : 9;
  return phone === undefined || phone.replaceAll(/\D/g, "").length < least ? undefined : phone;
}

/** In order: what one has taken the next ones no longer see. */
export const identifierKinds: readonly IdentifierKind[] = [
  { name: "key", pattern: new RegExp(keys.map(({ source }) => source).join("|"), "g") },
  {
    name: "e-mail",
    mark: "@",
    pattern:
      /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}_%+-][\p{L}\p{N}._%+-]{0,63}@(?!\d+\.\d)(?:[\p{L}\p{N}-]{1,63}\.){1,5}\p{L}{2,24}(?![\p{L}\p{N}])/gu,
  },
  {
    name: "account",
    pattern: /(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,31}/g,
    within: accountIn,
  },
  { name: "card", pattern: /(?<![\p{L}\p{N}.])\d(?:[ -]?\d){12,22}/gu, within: cardIn },
  {
    name: "phone",
    pattern:
      /(?<![\w.#]|\w-|(?:19|20)\d\d\/|isbn:? )(?:\+|\(?0)\d{1,14}\)?(?:(?: ?[-/] ?| ?\(|\)[-/ ]?|[. ])\d{1,14}){0,8}(?!\w)/gi,
    within: phoneIn,
  },
  {
    // North America has no digit before the area's.
    name: "phone",
    pattern:
      /(?<![\w.#]|\w-)(?:1[-. ])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[-.])[2-9]\d\d[-. ]\d{4}(?!\w)/g,
  },
];
