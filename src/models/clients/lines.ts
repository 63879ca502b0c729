/** All lines of a byte stream, empty ones too, decoded as UTF-8 across piece borders. Rejects where the stream does. */
export async function* allLinesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split(/\r?\n/);
    rest = lines.pop() ?? "";
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}

/** The lines of a byte stream as `allLinesOf` gives them; empty lines are left out. */
export async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  for await (const line of allLinesOf(body)) if (line.trim() !== "") yield line;
}
