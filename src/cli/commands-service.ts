import type { Command } from "commander";

import { type CommandDeps, count } from "./command-deps.ts";

/** Adds the commands about the service. */
export function addServiceCommands(program: Command, deps: CommandDeps): void {
  const { output, withServices } = deps;
  program
    .command("serve")
    .description("run as a service that your other commands talk to")
    .action(async () => {
      const { createServing } = await import("./serve.ts");
      const serving = createServing(output, deps.termination());
      await withServices((services) => serving.run(services), {
        kind: "service",
        echo: serving.echo,
        onShutdown: serving.end,
      });
    });
  program
    .command("status")
    .description("whether a service runs, and what it is doing")
    .action(() =>
      withServices(async (services, { json = false }) => {
        const { status } = await import("./status.ts");
        return status(services, output, { json });
      }),
    );
  program
    .command("stop")
    .description("end the service; what is not done goes on at its next start")
    .action(() =>
      withServices(async (services) => {
        const { stop } = await import("./status.ts");
        return stop(services, output);
      }),
    );
  program
    .command("logs")
    .description("the program's own record of what it does")
    .option("-f, --follow", "go on with what comes, until Ctrl-C")
    .option("--task <id>", "only lines of the task whose id ends like this")
    .option("--lines <n>", "most lines of what there is", count, 200)
    .action((own: { follow?: boolean; task?: string; lines: number }) =>
      withServices(async ({ logs }, { json = false }) => {
        const { showLogs } = await import("./logs.ts");
        await showLogs(logs, output, { ...own, json, signal: deps.interrupt() });
        return undefined;
      }),
    );
}
