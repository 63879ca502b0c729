/** True for a name that a local Ollama passes on to its cloud. */
export function isCloudName(model: string): boolean {
  return /[:-]cloud$/.test(model);
}
