import type { StageVote } from "#core/choice.ts";
import { exitCodes } from "#core/errors.ts";
import type { Operations } from "#core/operations.ts";
import { type Explained, tierNames } from "#core/route.ts";

import { type Output, plainText, sizeText } from "./output.ts";

/** A way in which a tier may be answered, and what of it. */
function wayText({ deployment, reason }: Explained): string {
  return `${deployment}: ${reason}`;
}

/** Lists what each tier would use and why, then the models of this machine. */
export async function listModels(
  operations: Operations,
  output: Output,
  options: { readonly json: boolean },
): Promise<void> {
  const tiers = await Promise.all(
    tierNames.map(async (tier) => ({ tier, options: await operations.explain({ tier }) })),
  );
  const list = await operations.models({});
  if (options.json) {
    output.line(JSON.stringify({ tiers, models: list }));
    return;
  }
  for (const { tier, options: ways } of tiers) {
    const chosen = ways.find((way) => way.usable);
    output.line(`${output.bold(tier)}: ${chosen?.deployment ?? "no model"}`);
    for (const way of ways) {
      output.line(`  ${way === chosen ? "*" : "-"} ${wayText(way)}`);
    }
  }
  output.line("");
  for (const model of list) {
    const state = model.here ? "here" : `agent models pull ${model.name}`;
    const tools = model.tools ? "tools" : "no tools";
    output.line(
      `${model.name.padEnd(24)} ${sizeText(model.sizeBytes).padStart(8)}  ${tools.padEnd(8)}  ${model.where}, ${state}`,
    );
  }
}

/** Downloads a model. */
export async function pullModel(
  operations: Operations,
  output: Output,
  request: { readonly name: string; readonly signal: AbortSignal },
): Promise<void> {
  await operations.pull({ name: request.name }, { signal: request.signal });
  output.note(`${request.name} is here.`);
}

/** Says whether a request of each tier could be answered; the exit code is that of "no model" when none could. */
export async function checkModels(
  operations: Operations,
  output: Output,
  options: { readonly json: boolean },
): Promise<number> {
  const checks = await Promise.all(
    tierNames.map(async (tier) => {
      const ways = await operations.explain({ tier });
      return { tier, ok: ways.some((way) => way.usable), ways };
    }),
  );
  if (options.json) output.line(JSON.stringify(checks));
  else {
    for (const { tier, ok, ways } of checks) {
      const [first] = ways;
      const way = ways.find((candidate) => candidate.usable) ?? first;
      const said = way === undefined ? "no model is configured" : wayText(way);
      const instead = first === undefined || way === first ? "" : `; not ${wayText(first)}`;
      output.line(`${tier}: ${ok ? "ok" : "no"}, ${said}${instead}`);
    }
  }
  return checks.some((check) => check.ok) ? exitCodes.ok : exitCodes.noModel;
}

function voteLine({ stage, agent, why }: StageVote): string {
  return plainText(`${stage.padEnd(10)}  ${(agent ?? "-").padEnd(10)}  ${why}`);
}

/** Says what every stage says of a text, and which agent would take it; `is` is the owner's word, which is kept. */
export async function routeText(
  operations: Operations,
  output: Output,
  request: { readonly words: string; readonly is: string | undefined; readonly json: boolean },
): Promise<void> {
  const { words, is, json } = request;
  const said = await operations.votes({ words, ...(is === undefined ? {} : { is }) });
  if (json) {
    output.line(JSON.stringify(said));
    return;
  }
  for (const vote of said.votes) output.line(voteLine(vote));
  if (is !== undefined) {
    const learned =
      said.learned === true
        ? "the classifier has learned it"
        : "the classifier learns it when a service or a chat starts";
    output.note(`Kept: this text is for ${is}, and ${learned}.`);
  }
  output.line(`${said.choice.agent} takes it.`);
}
