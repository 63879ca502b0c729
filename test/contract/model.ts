import { describe, onTestFinished, test } from "vitest";

import { basicCases, type ModelCase, type ModelSubject } from "./model-cases.ts";

export { ask, eventsOf, nowSpec, stopOf, textOf } from "./ask.ts";

/** A subject with what ends it. */
export interface OpenedSubject extends ModelSubject {
  close?(): Promise<void> | void;
}

/**
 * What every model must do, as tests. `open` gives the subject of a case, or says why the case cannot be for this model.
 */
export function modelContract(
  name: string,
  open: (caseName: string) => Promise<OpenedSubject | string>,
  cases: readonly ModelCase[] = basicCases,
): void {
  describe(`${name} keeps the contract of a model`, () => {
    // oxlint-disable-next-line vitest/expect-expect -- the cases throw by themselves, since the bench runs them too
    test.for(cases)("$name", async (check, { skip }) => {
      const subject = await open(check.name);
      if (typeof subject === "string") return skip(subject);
      onTestFinished(() => subject.close?.());
      return check.run(subject);
    });
  });
}
