/** Knows when the sidecar drains. Given to whoever must let go of something before it may stop. */
export interface DrainWatcher {
  readonly draining: boolean;
  /**
   * Runs `task` when the drain begins (at once if it has); the drain is not over until it settled. `late` is aborted
   * when there is no more time.
   */
  onDrain(task: (late: AbortSignal) => Promise<void>): void;
}

/** Starts the drain. The two halves are separate values, so that who only watches can't start one (ztunnel's drain.rs). */
export interface DrainTrigger {
  /** Resolves when every watcher let go; rejects with the first error of one. Starting again waits for the same drain. */
  start(): Promise<void>;
  /** There is no more time: what is still held has to be let go. */
  expire(): void;
}

export function drainPair(): { readonly trigger: DrainTrigger; readonly watcher: DrainWatcher } {
  const tasks: ((late: AbortSignal) => Promise<void>)[] = [];
  const late = new AbortController();
  const running: Promise<void>[] = [];
  let draining = false;
  let drained: Promise<void> | undefined;
  const run = (task: (late: AbortSignal) => Promise<void>): void =>
    void running.push(Promise.resolve().then(() => task(late.signal)));
  const settle = async (): Promise<void> => {
    const errors: unknown[] = [];
    // A task may bring in another one while it runs.
    while (running.length > 0) {
      for (const one of await Promise.allSettled(running.splice(0))) {
        if (one.status === 'rejected') errors.push(one.reason);
      }
    }
    if (errors.length > 0) throw errors[0];
  };
  return {
    trigger: {
      start() {
        draining = true;
        for (const task of tasks.splice(0)) run(task);
        drained ??= settle();
        return drained;
      },
      expire: () => late.abort(),
    },
    watcher: {
      get draining() {
        return draining;
      },
      onDrain(task) {
        if (draining) run(task);
        else tasks.push(task);
      },
    },
  };
}
