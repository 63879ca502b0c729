import type { DownloadOffer, Person } from "#core/person.ts";

import { barText, type Output, sizeText } from "./output.ts";

function optionLabel({ title, sizeBytes, license, from }: DownloadOffer): string {
  return `${title}, ${sizeText(sizeBytes)}, ${license}, from ${from}`;
}

/** Takes the keys of the terminal from a chat that listens to them for as long as `work` asks something. */
async function borrowing<Result>(
  stdin: NodeJS.ReadStream,
  work: () => Promise<Result>,
): Promise<Result> {
  const wasRaw = stdin.isRaw;
  const listeners = stdin.listeners("keypress");
  stdin.removeAllListeners("keypress");
  try {
    return await work();
  } finally {
    for (const listener of listeners)
      stdin.on("keypress", (...keys: unknown[]) => listener(...keys));
    stdin.setRawMode(wasRaw);
    if (listeners.length > 0) stdin.resume();
  }
}

async function choose(offers: readonly DownloadOffer[]): Promise<DownloadOffer | undefined> {
  const { isCancel, select } = await import("@clack/prompts");
  const chosen = await select<DownloadOffer | "none">({
    message: "There is no model on this machine yet. Download one?",
    options: [
      ...offers.map((offer) => ({ value: offer, label: optionLabel(offer) })),
      { value: "none", label: "None of these" },
    ],
    output: process.stderr,
  });
  return isCancel(chosen) || chosen === "none" ? undefined : chosen;
}

/** The person at this terminal; asked nothing where there is no terminal. */
export function createPerson(output: Output, stdin: NodeJS.ReadStream): Person {
  return {
    notice: (line) => output.note(output.dim(line)),
    progress: (name, { completedBytes, totalBytes }) => {
      const bar = barText(completedBytes, totalBytes);
      output.transient(`${name} ${bar} of ${sizeText(totalBytes)}`);
    },
    ...(stdin.isTTY && output.isTerminal
      ? { chooseDownload: (offers) => borrowing(stdin, () => choose(offers)) }
      : {}),
  };
}
