import { type Command, Option } from "commander";

import { type ExportFormat, exportFormats } from "./export.ts";
import { type CommandDeps, count } from "./command-deps.ts";

/** Adds the commands that read what was asked. */
export function addRecordCommands(program: Command, deps: CommandDeps): void {
  const { output, withServices } = deps;
  program
    .command("history")
    .description("list what you asked, newest first")
    .option("--limit <n>", "most lines", count, 20)
    .option("--search <text>", "only tasks that hold these words")
    .action((own: { limit: number; search?: string }) =>
      withServices(async ({ operations }, { json = false }) => {
        const { history } = await import("./history.ts");
        await history(operations, output, { ...own, json });
        return undefined;
      }),
    );
  program
    .command("show <task>")
    .description("one task: its steps, its cost and what left the machine")
    .option("--route", "how its models were chosen: candidates, attempts, times and cost")
    .action((id: string, { route = false }: { route?: boolean }) =>
      withServices(async ({ operations }, { json = false }) => {
        const { show } = await import("./show.ts");
        await show(operations, output, { id, json, route });
        return undefined;
      }),
    );
  addTotals(program, deps);
}

function addTotals(program: Command, { output, withServices }: CommandDeps): void {
  program
    .command("stats")
    .description("tokens, cost and time of the last days")
    .option("--days <n>", "how many days", count, 30)
    .action(({ days }: { days: number }) =>
      withServices(async ({ operations }, { json = false }) => {
        const { stats } = await import("./stats.ts");
        await stats(operations, output, { days, json });
        return undefined;
      }),
    );
  program
    .command("export")
    .description("write everything that is known of every task")
    .addOption(
      new Option("--format <name>", "json, jsonl or csv (one row a task)")
        .choices(exportFormats)
        .default("jsonl"),
    )
    .option("--output <file>", "where to; without it, standard output")
    .action((own: { format: ExportFormat; output?: string }) =>
      withServices(async (services) => {
        const { exportTasks } = await import("./export.ts");
        await exportTasks(services, output, own);
        return undefined;
      }),
    );
}
