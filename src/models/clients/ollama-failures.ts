import { AppError } from "#core/errors.ts";

import type { Subject } from "./failures.ts";

/** Ollama may quote what a model wrote, which is for its own conversation: a failure is told to who is kept from the host as well. */
function withoutQuote(said: string): string {
  return said.replace(/:? *\braw=.*$/s, "");
}

/** What Ollama means by a status and what it says (server source, read in v0.24 and v0.33). */
export function refusal(subject: Subject, status: number, said: string): AppError {
  const { model, host } = subject;
  const sentence = withoutQuote(said);
  if (status === 404) {
    return new AppError("model.missing", { model, host, fix: `run agent models pull ${model}` });
  }
  if (status === 403 && sentence === "") {
    const problem = "Ollama answers only to its own address: set OLLAMA_HOST where it runs.";
    return new AppError("model.refused", { model: host, problem });
  }
  if (status === 401 || status === 403) {
    return new AppError("model.refused", { model, problem: `${sentence}.` });
  }
  if (/exceeds? .*context|context (length|size|window)|too long/i.test(sentence)) {
    return new AppError("model.context-overflow", { model });
  }
  if (status === 400) return new AppError("model.bad-request", { model, problem: `${sentence}.` });
  if (status === 503) return new AppError("model.busy", { host });
  if (/runner.*(stopped|terminated)|out of memory|unable to load/i.test(sentence)) {
    return new AppError("model.crashed", { model, problem: sentence });
  }
  if (status >= 500) return new AppError("model.failed", { host, problem: sentence });
  return new AppError("model.protocol", { model, problem: `${status} ${sentence}`.trim() });
}

/** Why a host could not get a model, by its own sentence. */
export function pullRefusal(name: string, sentence: string): AppError {
  return /file does not exist|invalid model name/i.test(sentence)
    ? new AppError("download.unknown", { name })
    : new AppError("download.failed", { name, problem: sentence });
}

/** The failure of a model that only seems to be on a host. */
export function remoteRefusal(model: string): AppError {
  const problem =
    "it runs in a cloud, though a local Ollama lists it; choose a model that runs here.";
  return new AppError("model.refused", { model, problem });
}
