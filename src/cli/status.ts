import { systemClock } from "#core/clock.ts";
import { AppError, exitCodes } from "#core/errors.ts";
import { shortId } from "#core/ids.ts";
import type { Hearing } from "#core/operations.ts";

import { lineOf, type Output, whenText } from "./output.ts";
import type { Holder, Services } from "./services.ts";

const words = {
  service: "A service",
  chat: "A chat",
  command: "A command",
  program: "A program",
} as const;

const pollMs = 50;

/** A service that has not ended by then will not. */
const patienceMs = 30_000;

/** Waits until nobody holds the data any more. */
async function untilGone({ holder, home }: Services, pid: number): Promise<void> {
  const until = systemClock.now() + patienceMs;
  for (let found = await holder(); found !== undefined; found = await holder()) {
    found.close();
    if (systemClock.now() > until) throw new AppError("service.silent", { folder: home, pid });
    await systemClock.sleep(pollMs);
  }
}

function hearingText({ lastPollAt, problem }: Hearing): string {
  if (problem !== undefined) return `Telegram is not heard: ${problem}.`;
  if (lastPollAt === undefined) return "Telegram has not been heard yet.";
  const seconds = Math.max(0, Math.round((systemClock.now() - lastPollAt) / 1000));
  return `Telegram was heard ${seconds} seconds ago.`;
}

async function describe(holder: Holder, version: string, output: Output): Promise<void> {
  const { hello, operations } = holder;
  output.line(`${words[hello.kind]} runs as process ${hello.pid}, version ${hello.version}.`);
  if (hello.version !== version) return;
  const { home, startedAt, open, telegram } = await operations.status({});
  output.line(`Home ${home}, since ${whenText(startedAt)}.`);
  if (telegram !== undefined) output.line(hearingText(telegram));
  for (const task of open) {
    output.line(`${shortId(task.id)}  ${task.state.padEnd(8)}  ${lineOf(task.input, 60)}`);
  }
  if (open.length === 0) output.line("Nothing to do at the moment.");
}

/** Says who holds the data; the exit code is 0 only for a service. */
export async function status(
  services: Services,
  output: Output,
  { json }: { readonly json: boolean },
): Promise<number> {
  const holder = await services.holder();
  if (holder === undefined) {
    if (!json) throw new AppError("service.none");
    output.line(JSON.stringify({ running: false }));
    return exitCodes.unreachable;
  }
  try {
    const { hello, operations } = holder;
    if (json) {
      const same = hello.version === services.version;
      const more = same ? await operations.status({}) : {};
      output.line(JSON.stringify({ running: true, ...hello, ...more }));
    } else await describe(holder, services.version, output);
    return hello.kind === "service" ? exitCodes.ok : exitCodes.unreachable;
  } finally {
    holder.close();
  }
}

/** Ends the service and waits until it is gone. */
export async function stop(services: Services, output: Output): Promise<number> {
  const holder = await services.holder();
  if (holder === undefined) throw new AppError("service.none");
  const { pid, kind } = holder.hello;
  const ends = await holder.operations.shutdown({});
  if (!ends) {
    holder.close();
    throw new AppError("service.not-one", { pid, kind: `a ${kind}` });
  }
  output.note(output.dim("Finishing what runs, for at most ten seconds."));
  await untilGone(services, pid);
  output.line("Stopped.");
  return exitCodes.ok;
}
