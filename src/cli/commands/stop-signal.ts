export interface StopSignal {
  /** Resolves when it is time to stop. */
  readonly ended: Promise<void>;
  /** The first failure that asked for the stop. */
  readonly error: Error | undefined;
  readonly end: () => void;
  readonly fail: (error: unknown) => void;
  /** Gives Ctrl-C back its usual meaning. */
  readonly dispose: () => void;
}

/** Ctrl-C and SIGTERM ask for an orderly stop; a second Ctrl-C ends the program at once. */
export function stopSignal(): StopSignal {
  let ending = false;
  const { promise, resolve } = Promise.withResolvers<void>();
  let failure: Error | undefined;
  const end = (): void => {
    ending = true;
    resolve();
  };
  const onSignal = (): void => {
    // 128 + SIGINT, as shells have it.
    if (ending) process.exit(130);
    end();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
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
    dispose() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
