// The embedded library alone, in a process of its own: what the embedded model is compared with.
import { availableParallelism } from "node:os";

import { getLlama, LlamaChat, LlamaLogLevel, resolveChatWrapper } from "node-llama-cpp";

const [file = "", prompt = "", maxTokens = "100", longPrompt = ""] = process.argv.slice(2);
const llama = await getLlama({
  build: "never",
  skipDownload: true,
  progressLogs: false,
  logLevel: LlamaLogLevel.error,
  gpu: false,
  maxThreads: availableParallelism(),
});
const model = await llama.loadModel({ modelPath: file, useMmap: false });
const context = await model.createContext({ contextSize: 2048 });
const chat = new LlamaChat({
  contextSequence: context.getSequence(),
  chatWrapper: resolveChatWrapper(model),
});

async function timed(text: string, limit: number): Promise<{ firstMs: number; perSecond: number }> {
  const start = performance.now();
  let first = 0;
  let tokens = 0;
  await chat.generateResponse(
    [
      { type: "user", text },
      { type: "model", response: [] },
    ],
    {
      maxTokens: limit,
      temperature: 0,
      repeatPenalty: { lastTokens: 64, penalty: 1.1 },
      onToken: (pieces) => {
        if (first === 0) first = performance.now();
        tokens += pieces.length;
      },
    },
  );
  const perSecond = ((tokens - 1) / (performance.now() - first)) * 1000;
  return { firstMs: first - start, perSecond };
}

await timed("warm up", 5);
const { perSecond } = await timed(prompt, Number(maxTokens));
const { firstMs: longFirstMs } = await timed(longPrompt, 2);
process.stdout.write(`${JSON.stringify({ perSecond, longFirstMs })}\n`);
process.exit();
