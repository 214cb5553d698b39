/** Time as an argument: everything that waits or compares dates takes a `Clock`, so a test runs a week in a millisecond. */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. */
  now(): number;
  /** Monotonic clock with sub-millisecond precision, for durations only. */
  monotonic(): number;
  /** Runs `task` once after `milliseconds`; the returned function cancels it. Does not keep the process alive. */
  after(milliseconds: number, task: () => void): () => void;
}

/** setTimeout fires at once when a delay exceeds 2^31-1 ms, so longer waits are taken in steps. */
const LONGEST_TIMER_MILLISECONDS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(milliseconds, task) {
    let timer: NodeJS.Timeout;
    const arm = (left: number): void => {
      const step = Math.min(Math.max(left, 0), LONGEST_TIMER_MILLISECONDS);
      timer = setTimeout(() => (left > step ? arm(left - step) : task()), step);
      timer.unref();
    };
    arm(milliseconds);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `milliseconds`, or rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const abort = (): void => {
      cancel();
      reject(signal.reason as Error);
    };
    const cancel = clock.after(milliseconds, () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
    signal.addEventListener('abort', abort, { once: true });
  });
}
