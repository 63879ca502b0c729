import type { ChildProcess } from "node:child_process";

import { z } from "zod";

const answerSchema = z.object({
  id: z.number(),
  result: z.object({ usedSize: z.number().optional() }),
});

/** A process's inspector (Chrome DevTools Protocol). */
export interface Inspector {
  /** Megabytes of the heap that are still in use after a collection. */
  liveHeapMb(): Promise<number>;
  close(): void;
}

/** Where the inspector listens, as the process says on stderr once it is asked to open it. */
async function addressOf(child: ChildProcess): Promise<string> {
  const said = new Promise<string>((resolve) => {
    let text = "";
    child.stderr?.on("data", (piece: Buffer) => {
      text += piece.toString();
      const found = /ws:\/\/127\.0\.0\.1:\d+\/[0-9a-f-]+/.exec(text);
      if (found !== null) resolve(found[0]);
    });
  });
  child.kill("SIGUSR1");
  return said;
}

/** Opens the inspector of a running Node process; its port must be free to choose (--inspect-port=0). */
export async function openInspector(child: ChildProcess): Promise<Inspector> {
  const socket = new WebSocket(await addressOf(child));
  await new Promise((resolve) => socket.addEventListener("open", resolve, { once: true }));
  const waiting = new Map<number, (usedSize: number) => void>();
  const state = { next: 1 };
  socket.addEventListener("message", ({ data }) => {
    const answer = answerSchema.safeParse(JSON.parse(String(data)));
    if (answer.success) waiting.get(answer.data.id)?.(answer.data.result.usedSize ?? 0);
  });
  function call(method: string): Promise<number> {
    const id = state.next++;
    const answered = new Promise<number>((resolve) => waiting.set(id, resolve));
    socket.send(JSON.stringify({ id, method }));
    return answered;
  }
  return {
    async liveHeapMb() {
      // What a finalizer holds goes with the second collection.
      await call("HeapProfiler.collectGarbage");
      await call("HeapProfiler.collectGarbage");
      return (await call("Runtime.getHeapUsage")) / 1_000_000;
    },
    close: () => socket.close(),
  };
}
