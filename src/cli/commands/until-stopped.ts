import { jsonLog, type Log, Scope } from '#runtime';
import { UsageError } from '../usage-error.ts';
import { type StopSignal, stopSignal } from './stop-signal.ts';

export interface Program {
  /** For people: in the log. */
  readonly name: string;
  /** Resolves when it runs, with how it takes leave of those whom it serves. */
  readonly start: (
    scope: Scope,
    log: Log,
    stop: StopSignal,
  ) => Promise<{ readonly drain: () => Promise<void> }>;
  /** Whether the user can mend an error of `start` by other settings. */
  readonly isMendable: (error: unknown) => error is Error;
}

/**
 * Runs a program that logs to standard output until SIGTERM or the failure of a part, then drains it. 0 after an orderly
 * end. Throws UsageError for what is mendable, and what failed otherwise.
 */
export async function untilStopped({ name, start, isMendable }: Program): Promise<number> {
  const stop = stopSignal();
  const log = jsonLog('info', (line) => void process.stdout.write(line));
  const scope = new Scope(name, (error) => {
    log.error(`a part of the ${name} failed`, { error: String(error) });
    stop.fail(error);
  });
  try {
    // Who is told to stop before all is there does not wait for it: what it waits for may never come.
    const running = await Promise.race([start(scope, log, stop), stop.ended.then(() => undefined)]);
    await stop.ended;
    if (stop.error === undefined) log.info('asked to stop', { name });
    await running?.drain();
  } catch (error) {
    throw isMendable(error) ? new UsageError(error.message) : error;
  } finally {
    await scope.close();
    stop.dispose();
  }
  if (stop.error !== undefined) throw stop.error;
  return 0;
}
