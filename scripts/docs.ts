import { writeFileSync } from "node:fs";
import path from "node:path";

import { commandPages } from "../src/cli/pages.ts";

writeFileSync(path.join(import.meta.dirname, "..", "docs", "commands.md"), commandPages());
