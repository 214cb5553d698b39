import { type Clock, sleep } from '#runtime';
import { RELOAD } from '../limits.ts';
import { differingFiles, type Snapshot } from './snapshot.ts';

export interface Settling {
  readonly clock: Clock;
  readonly read: () => Promise<Snapshot>;
  readonly signal: AbortSignal;
  /** Called when files keep changing for longer than others may wait for them. */
  readonly onRestless: (files: readonly string[]) => void;
}

/**
 * Reads until the files stand still, since a file that is being written passes through valid halves of itself, but not
 * for ever, since a file that never stands still would hold off a Deny in another one: once a change has stood still
 * for a moment beside files that don't, it waits no longer than `waitMilliseconds`, and the restless files themselves
 * no longer than `patienceMilliseconds`. What is taken is always what lay there all together, never new files beside old ones.
 */
export async function settle(
  first: Snapshot,
  judged: Snapshot,
  { clock, read, signal, onRestless }: Settling,
): Promise<Snapshot> {
  const began = clock.monotonic();
  const changes = new Map<string, number>();
  let snapshot = first;
  for (;;) {
    const before = snapshot;
    await sleep(clock, RELOAD.settleMilliseconds, signal);
    snapshot = await read();
    if (snapshot.digest === before.digest) return snapshot;
    const moving = differingFiles(before, snapshot);
    for (const file of moving) changes.set(file, (changes.get(file) ?? 0) + 1);
    const elapsed = clock.monotonic() - began;
    if (elapsed < RELOAD.waitMilliseconds) continue;
    onRestless([...moving].filter((file) => (changes.get(file) ?? 0) >= OFTEN));
    const waiting = [...differingFiles(judged, snapshot)].some((file) => !moving.has(file));
    if (waiting || elapsed >= RELOAD.patienceMilliseconds) return snapshot;
  }
}

/** A file that changed in fewer readings than this was merely saved at that moment. */
const OFTEN = 3;
