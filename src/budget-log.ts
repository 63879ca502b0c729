import type { Log } from "#core/log.ts";
import type { Runner, Watch } from "#core/runner.ts";
import type { Task } from "#core/task.ts";

/** A runner that writes to the log when a share of a cap of money is reached, whoever watches. */
export function logBudgets(runner: Runner, log: Log): Runner {
  const watched = (watch: Watch = {}): Watch => ({
    ...watch,
    onEvent(event) {
      if (event.type === "budget") {
        const { name, percent, spentUsd, capUsd } = event;
        log.info("budget reached", { cap: name, percent, spentUsd, capUsd });
      }
      watch.onEvent?.(event);
    },
  });
  return {
    ...runner,
    work: (task, watch) => runner.work(task, watched(watch)),
    run: (request, watch) => runner.run(request, watched(watch)),
    resume: (watchOf = () => ({})) =>
      runner.resume((task: Task) => {
        const watch = watchOf(task);
        return watch === undefined ? undefined : watched(watch);
      }),
  };
}
