import { onTestFinished } from "vitest";

import { systemClock } from "../../src/core/clock.ts";
import { openStore } from "../../src/store/open-store.ts";
import { attachmentStoreContract } from "../contract/attachment-store.ts";
import { emptyFolder } from "../fakes/folder.ts";

attachmentStoreContract("SQLite", async () => {
  const store = await openStore({ folder: await emptyFolder("attachments"), clock: systemClock });
  onTestFinished(() => store.close());
  return store;
});
