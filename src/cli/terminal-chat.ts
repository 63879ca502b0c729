/** The id of a chat of the terminal, by the name that `--chat` gives it. */
export function terminalChat(name = "main"): string {
  return `terminal:${name}`;
}
