/** True when the embedded engine can be found; looking does not load it, which takes a third of a second and 100 MB. */
export function engineIsInstalled(): boolean {
  try {
    return import.meta.resolve("node-llama-cpp") !== "";
  } catch {
    return false;
  }
}
