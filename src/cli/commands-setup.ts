import type { Command } from "commander";

import { badOption, type CommandDeps, unknownWord } from "./command-deps.ts";

function addConfig(program: Command, { output, withServices }: CommandDeps): void {
  program
    .command("config [action] [key] [value]")
    .description("list; get KEY; set KEY VALUE: the settings, checked before they are written")
    .action((action = "list", key?: string, value?: string) =>
      withServices(async ({ settings }, { json = false }) => {
        const { printSettings } = await import("./config.ts");
        const editor = await settings();
        if (action === "list") printSettings(await editor.list(), output, { json });
        else if (action === "get" && key !== undefined) {
          printSettings(await editor.get(key), output, { json });
        } else if (action === "set" && key !== undefined && value !== undefined) {
          output.note(`Written to ${await editor.set(key, value)}.`);
        } else throw unknownWord("config", String(action), "list, get KEY or set KEY VALUE");
        return undefined;
      }),
    );
}

function addDoctor(program: Command, { output, withServices }: CommandDeps): void {
  program
    .command("doctor")
    .description("check each part; say what is wrong and how to mend it")
    .option("--bundle <file>", "write what a bug report needs to a file, without any secret")
    .action(({ bundle }: { bundle?: string }) =>
      withServices(async (services, { json = false }) => {
        const { reportChecks, writeBundle } = await import("./doctor.ts");
        const checks = await services.operations.doctor({});
        if (bundle !== undefined) await writeBundle(services, output, { file: bundle, checks });
        return reportChecks(checks, output, { json });
      }),
    );
}

function describeCompletion(program: Command): void {
  program
    .command("completion <shell>")
    .description("print the completion of this command line for bash, zsh, fish or powershell")
    .addHelpText("after", "\nFor example, in ~/.zshrc: source <(agent completion zsh)");
}

/** Adds the commands that set the program up and look after it. */
export function addSetupCommands(program: Command, deps: CommandDeps): void {
  const { output, withServices } = deps;
  program
    .command("setup")
    .description("choose models, what may leave the machine, your language; may be run again")
    .option("--model <name>", "get this model (agent models lists them); none: get none")
    .option("--cloud <rule>", "never, when-asked or fallback")
    .option("--time-zone <name>", "for example Europe/Amsterdam")
    .option("--language <tag>", "for example nl or pt-BR")
    .option(
      "--key <name>",
      "read a key such as ANTHROPIC_API_KEY: hidden prompt, or standard input",
    )
    .option("--yes", "take the usual answer where no flag gives one")
    .action((own: object) =>
      withServices(async (services) => {
        const { runSetup, setupOptionsSchema } = await import("./setup.ts");
        const { createAsker } = await import("./asker.ts");
        const { stdin, screen } = deps;
        const options = setupOptionsSchema.safeParse(own);
        if (!options.success) throw badOption(options.error);
        const asks = stdin.isTTY && screen.isTTY && !options.data.yes;
        return runSetup(services, output, {
          stdin,
          options: options.data,
          signal: deps.interrupt(),
          asker: asks ? await createAsker() : undefined,
        });
      }),
    );
  addConfig(program, deps);
  addDoctor(program, deps);
  if (!deps.completes) describeCompletion(program);
}
