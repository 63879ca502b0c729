import type { Command } from "commander";

import { badOption, type CommandDeps, unknownWord } from "./command-deps.ts";

function addConfig(program: Command, { output, withServices }: CommandDeps): void {
  program
    .command("config [action] [key] [value]")
    .description("read and change the settings")
    .addHelpText(
      "after",
      `
  agent config                              every setting; yours are marked
  agent config get models.tiers
  agent config set models.cloud when-asked  checked before it is written to config/*.local.yaml`,
    )
    .action((action = "list", key?: string, value?: string) =>
      withServices(async ({ settings, holder }, { json = false }) => {
        const { noteRunning, printSettings } = await import("./config.ts");
        const editor = await settings();
        if (action === "list") printSettings(await editor.list(), output, { json });
        else if (action === "get" && key !== undefined) {
          printSettings(await editor.get(key), output, { json });
        } else if (action === "set" && key !== undefined && value !== undefined) {
          output.note(`Written to ${await editor.set(key, value)}.`);
          noteRunning(await holder(), output, key.startsWith("models.") ? "models" : "other");
        } else throw unknownWord("config", String(action), "list, get KEY or set KEY VALUE");
        return undefined;
      }),
    );
}

function addDoctor(program: Command, { output, withServices }: CommandDeps): void {
  program
    .command("doctor")
    .description("what is wrong with each part, and how to mend it")
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
    .description("completion for bash, zsh, fish or powershell")
    .addHelpText("after", "\n  source <(agent completion zsh)     in ~/.zshrc, for example");
}

/** Adds the commands that set the program up and look after it. */
export function addSetupCommands(program: Command, deps: CommandDeps): void {
  const { output, withServices } = deps;
  program
    .command("setup [part]")
    .description("choose models and what may leave the machine; setup telegram: connect a bot")
    .option("--model <name>", "get this model (agent models lists them); none: get none")
    .option("--cloud <rule>", "never, when-asked or fallback")
    .option("--time-zone <name>", "for example Europe/Amsterdam")
    .option("--language <tag>", "for example nl or pt-BR")
    .option(
      "--key <name>",
      "read a key such as ANTHROPIC_API_KEY: hidden prompt, or standard input",
    )
    .option("--yes", "take the usual answer where no flag gives one")
    .addHelpText(
      "after",
      `
  agent setup            asks everything on a terminal
  agent setup telegram   connects a bot; its token comes by hidden prompt, or standard input`,
    )
    .action((part: string | undefined, own: object) =>
      withServices(async (services) => {
        const { runSetup, setupOptionsSchema } = await import("./setup.ts");
        const { createAsker } = await import("./asker.ts");
        const { stdin, screen } = deps;
        const options = setupOptionsSchema.safeParse(own);
        if (!options.success) throw badOption(options.error);
        const asks = stdin.isTTY && screen.isTTY && !options.data.yes;
        const asker = asks ? await createAsker() : undefined;
        const given = { stdin, signal: deps.interrupt(), asker };
        if (part === undefined) {
          return runSetup(services, output, { ...given, options: options.data });
        }
        if (part !== "telegram") throw unknownWord("setup", part, "telegram, or nothing");
        const { setupTelegram } = await import("./setup-telegram.ts");
        return setupTelegram({ services, output, ...given });
      }),
    );
  addConfig(program, deps);
  addDoctor(program, deps);
  if (!deps.completes) describeCompletion(program);
}
