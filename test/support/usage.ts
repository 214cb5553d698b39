import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Only this process's: other programs' tests don't disturb it. */
export interface Usage {
  readonly descriptors: number;
  /** JavaScript's heap and all buffers, after a full collection. What the kernel buffers is not among it. */
  readonly bytes: number;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

export async function usage(): Promise<Usage> {
  // Finalizers of one collection may free what only the next one finds.
  for (let round = 0; round < 3; round += 1) {
    await delay(1);
    collect();
  }
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return { descriptors: readdirSync('/proc/self/fd').length, bytes: arrayBuffers + heapUsed };
}
