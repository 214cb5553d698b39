import { printableLines } from '../view/printable.ts';

export interface StopSignal {
  /** Resolves when it is time to stop. */
  readonly ended: Promise<void>;
  /** The first failure that asked for the stop. */
  readonly error: Error | undefined;
  readonly end: () => void;
  readonly fail: (error: unknown) => void;
  /** Registers what must still be done when the program ends at once; it has no time to wait. Returns the way back. */
  readonly atOnce: (task: () => void) => () => void;
  /** Gives Ctrl-C back its usual meaning. */
  readonly dispose: () => void;
}

/**
 * Ctrl-C, SIGTERM and a closed terminal ask for an orderly stop. A second one, and an error that nobody caught, end the
 * program at once, after the tasks of `atOnce`.
 */
export function stopSignal(): StopSignal {
  const { promise, resolve } = Promise.withResolvers<void>();
  const tasks = new Set<() => void>();
  let ending = false;
  let exiting = false;
  let failure: Error | undefined;
  const end = (): void => {
    ending = true;
    resolve();
  };
  const exit = (code: number): void => {
    if (exiting) return;
    exiting = true;
    for (const task of tasks) attempt(task);
    // The next turn: what the tasks ended is closed by then.
    setImmediate(() => process.exit(code));
  };
  const onSignal = (): void => {
    if (ending) exit(EXIT_INTERRUPTED);
    else end();
  };
  const onUncaught = (error: unknown): void => {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (!exiting) attempt(() => process.stderr.write(`${UNCAUGHT}\n${printableLines(what)}\n`));
    exit(EXIT_FAILED);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  // Unhandled rejections come here too.
  process.on('uncaughtException', onUncaught);
  return {
    ended: promise,
    get error() {
      return failure;
    },
    end,
    fail(error) {
      failure ??= error instanceof Error ? error : new Error(String(error));
      end();
    },
    atOnce(task) {
      tasks.add(task);
      return () => tasks.delete(task);
    },
    dispose() {
      for (const signal of SIGNALS) process.off(signal, onSignal);
      process.off('uncaughtException', onUncaught);
    },
  };
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** 128 + SIGINT, as shells have it. */
const EXIT_INTERRUPTED = 130;
const EXIT_FAILED = 1;
const UNCAUGHT =
  'Sallyport met an error that nothing in it expected. What it was doing cannot be trusted any more, so it resets all connections and ends:';

/** One that fails must not keep the others from being done. */
function attempt(task: () => void): void {
  try {
    task();
  } catch {
    // Nothing is left that it could be told to.
  }
}
