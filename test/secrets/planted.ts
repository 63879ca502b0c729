/** Digits that do not repeat: an answer that says one thing for ever is stopped, and another model is asked. */
const longDigits = Array.from({ length: 200 }, (_, at) =>
  (Math.imul(at + 1, 2_654_435_761) >>> 0).toString(16).padStart(8, "0"),
).join("");

/** Twenty secrets of different kinds and shapes, none of them real, by the names that an owner would give them. */
export const planted: Readonly<Record<string, string>> = {
  ANTHROPIC_API_KEY: "sk-ant-api03-Zm9vYmFyYmF6cXV4-planted-01AA",
  OPENAI_API_KEY: "sk-proj-T3BlbkFJplanted02BBccDDeeFF",
  TELEGRAM_BOT_TOKEN: "7123456789:AAHplanted03-xYz_0123456789abcdef",
  DISCORD_BOT_TOKEN: "MTA5planted04.GhIjKl.mNoPqRsTuVwXyZ0123456789-_",
  GITHUB_TOKEN: "ghp_planted05aBcDeFgHiJkLmNoPqRsTuVwXyZ",
  AWS_SECRET_ACCESS_KEY: "wJalrXUt/planted06+K7MDENG/bPxRfiCY",
  DATABASE_PASSWORD: `pl"anted07'back\\slash`,
  SMTP_PASSWORD: "gehäim planted08 wörd 漢字",
  SSH_PRIVATE_KEY:
    "-----BEGIN PRIVATE KEY-----\nMIIEplanted09vQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIBAQC7planted\n-----END PRIVATE KEY-----",
  JWT_SECRET: "eyJhbGciOiJIUzI1NiJ9.planted10.c2lnbmF0dXJl",
  PROXY_PASSWORD: "a:b@planted11/d?e=f&g#h",
  STRIPE_SECRET: "sk_live_planted12_51H8xyzABCDEFG",
  SLACK_TOKEN: "xoxb-planted13-123456789012-abcdefGHIJKL",
  VAULT_PASSPHRASE: "correct 🐴 battery planted14 staple",
  ENCRYPTION_KEY: "9f86d081884c7d65planted15a2feaa0c55ad015a",
  REFRESH_TOKEN: "550e8400-e29b-41d4-a716-planted16",
  PATTERN_PASSWORD: ".*+?^${}()|[]planted17",
  SERVICE_CREDENTIALS: '{"type":"service","id":"planted18","k":"v"}',
  MARKUP_PASSWORD: "<b>&planted19;</b>",
  LONG_TOKEN: `planted20${longDigits}`,
};

/** What is left of a secret when it was found in a text, in the encodings that the product must know. */
export function found(text: string, name: string, value: string): string[] {
  const bytes = Buffer.from(value);
  const core = [0, 1, 2].map((offset) => {
    const all = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    return all.slice(4, -4);
  });
  const forms: Readonly<Record<string, string>> = {
    plain: value,
    json: JSON.stringify(value).slice(1, -1),
    address: encodeURIComponent(value),
    hex: bytes.toString("hex"),
    base64: core[0] ?? "",
    "base64 after one byte": core[1] ?? "",
    "base64 after two bytes": core[2] ?? "",
    base64url: bytes.toString("base64url").slice(0, -2),
    // Whatever the encoding, this much of a value in clear is too much.
    mark: /planted\d\d/.exec(value)?.[0] ?? value,
  };
  return Object.entries(forms)
    .filter(([, form]) => text.includes(form))
    .map(([form]) => `${name} (${form})`);
}
