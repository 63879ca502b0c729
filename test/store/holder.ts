// A process that opens a store and keeps it open until it is killed; tells of each committed write.
import { systemClock } from "../../src/core/clock.ts";
import { openStore } from "../../src/store/open-store.ts";

const store = await openStore({ folder: process.argv[2] ?? "", clock: systemClock });
await store.ensureChat({ id: "terminal:main", platform: "terminal", personId: "owner" });
process.stdout.write("committed\n");
setInterval(() => {}, 1000);
