import type { Door } from "../../src/core/http.ts";
import type { PrivacyDesk } from "../../src/core/privacy.ts";
import { createPrivacyDesk, type PrivacyDeskDeps } from "../../src/privacy-desk.ts";

/** The product's desk over a store, with one connected chat service, any part changed. */
export function createDeskOver(
  store: Awaited<ReturnType<PrivacyDeskDeps["store"]>>,
  own: Partial<PrivacyDeskDeps> = {},
): PrivacyDesk {
  return createPrivacyDesk({
    store: () => Promise.resolve(store),
    door: (): Promise<Door> => Promise.reject(new Error("there is no door here")),
    models: () => Promise.resolve({ cloud: "when-asked", hosts: {}, hub: "https://hub.invalid" }),
    platforms: () => Promise.resolve([{ name: "fake", url: "https://fake.invalid" }]),
    ollamas: () => Promise.resolve(new Map()),
    index: () => Promise.resolve(undefined),
    ...own,
  });
}
