/** The three ways to a model, for a machine that has none. */
export const waysToAModel =
  "There is no model to answer with. Get one in one of three ways: start Ollama and run agent models pull qwen3:1.7b; " +
  "or run agent models pull smollm2-135m (100 MB, runs in this program); " +
  "or put a .gguf file into workspace/state/models.";
