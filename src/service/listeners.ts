import type { Person } from "#core/person.ts";

import type { Said } from "./messages.ts";

/** The person at this process, and every one who waits for an answer of it elsewhere. */
export function withListeners(person: Person, say: (said: Said) => void): Person {
  return {
    ...person,
    notice(line) {
      person.notice(line);
      say({ notice: line });
    },
    progress(name, progress) {
      person.progress(name, progress);
      say({ progress: { name, ...progress } });
    },
  };
}
