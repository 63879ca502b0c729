/** The failures of models and of what they cost; a part of the one table. */
export const modelErrors = {
  "model.none": {
    say:
      "There is no model to answer with{because}. Get one in one of three ways: start Ollama and run agent models pull qwen3:1.7b; " +
      "or run agent models pull smollm2-135m (100 MB, runs in this program); " +
      "or put a .gguf file into workspace/state/models.",
    exit: 3,
  },
  "model.unavailable": {
    say: "{host} does not answer ({problem}): start it, or choose another model with agent models.",
    exit: 4,
  },
  "model.missing": { say: "The model {model} is not on {host}: {fix}.", exit: 3 },
  "model.no-key": {
    say: "{host} wants a key and there is none: run agent setup --key {key}{also}.",
    exit: 3,
  },
  "model.wrong-key": {
    say: "{host} does not accept the key {key}: it is mistyped or revoked, so run agent setup --key {key} with a valid one.",
    exit: 3,
  },
  "model.no-credit": {
    say: "{host} answers no more with the key {key}, since its credit or spend limit is used up: add credit or raise the limit there, or use --tier smart.",
    exit: 3,
  },
  "model.address": {
    say: "{url} is not the address of a model's API ({problem}): {fix}.",
    exit: 3,
  },
  "model.rate-limit": {
    say: "{host} takes no request right now ({problem}): try again {when}.",
    exit: 75,
  },
  "model.failed": {
    say: "{host} failed ({problem}): try again, or choose another model with agent models.",
    exit: 75,
  },
  "model.refusal": {
    say: "{model} declines to answer this: ask in another way, or choose another model with agent models.",
    exit: 5,
  },
  "model.refused": { say: "{model}: {problem}", exit: 5 },
  "model.passed-on": {
    say: "{model} does not run where it seems to: its Ollama passed what it was sent on to a cloud ({where}), and it is not asked again as it is. Choose another one with agent models, and set OLLAMA_NO_CLOUD=1 where that Ollama runs.",
    exit: 5,
  },
  "model.bad-request": { say: "{model} refused the request: {problem}", exit: 1 },
  "model.context-overflow": {
    say: "The conversation is too long for {model}: start a new one with --new.",
    exit: 1,
  },
  "model.timeout": {
    say: "{model} said nothing for {seconds} seconds: try again, or choose a faster model with agent models.",
    exit: 75,
  },
  "model.truncated": { say: "{model} broke off in the middle of its answer: try again.", exit: 75 },
  "model.protocol": {
    say: "{model} sent something that is not an answer ({problem}): check that the address in config/models.yaml is right.",
    exit: 1,
  },
  "model.late": {
    say: "{model} would not answer within {seconds} s.",
    exit: 75,
  },
  "model.busy": {
    say: "{host} has too many requests waiting: try again in a moment.",
    exit: 75,
  },
  "model.invalid": {
    say: "{model} gave an answer that is not in the form that was asked for ({problem}): choose a larger model with agent models.",
    exit: 1,
  },
  "model.reset": {
    say: "{host} broke the connection before it answered: try again.",
    exit: 75,
  },
  "model.resting": {
    say: "{model} failed a moment ago and {when}: {why}",
    exit: 75,
  },
  "model.empty": {
    say: "{model} gave an empty answer: try again, or choose a larger model with agent models.",
    exit: 1,
  },
  "model.repeats": {
    say: "{model} said the same thing over and over and was stopped: try again, or choose a larger model with agent models.",
    exit: 1,
  },
  "model.over-budget": {
    say: "The budget of ${cap} {name} is spent ({spent}), so nothing more goes to a cloud: wait, or raise budgets in config/models.local.yaml.",
    exit: 75,
  },
  "model.no-price": {
    say: "What {model} costs is not known, and there is a budget to keep: give it a price in config/models.local.yaml.",
    exit: 3,
  },
  "model.crashed": {
    say: "The process of {model} ended ({problem}): try again, or choose a smaller model with agent models.",
    exit: 1,
  },
  "model.damaged": {
    say: "The file of {model} is damaged: run agent models pull {model} to get it again.",
    exit: 3,
  },
  "model.memory": {
    say: "There is not enough memory for {model} ({problem}): choose a smaller model with agent models.",
    exit: 3,
  },
} as const;
