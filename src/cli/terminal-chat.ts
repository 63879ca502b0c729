/** The chat of the terminal, and the person at it: the owner. */
export const terminal = {
  id: "terminal:main",
  platform: "terminal",
  personId: "owner",
} as const;
