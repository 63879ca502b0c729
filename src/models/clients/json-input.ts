/** The input that a model wrote: parsed, empty as {}, or its text where it is no JSON, for the tool's schema to refuse. */
export function inputOf(text: string): { readonly input: unknown; readonly whole: boolean } {
  if (text.trim() === "") return { input: {}, whole: true };
  try {
    return { input: JSON.parse(text), whole: true };
  } catch {
    return { input: text, whole: false };
  }
}
