/** True for a name that a local Ollama passes on to its cloud; like that, it ignores case and space (its modelref, read in v0.33). */
export function isCloudName(model: string): boolean {
  return /(:[\s\u0085]*|-)cloud[\s\u0085]*$/i.test(model);
}
