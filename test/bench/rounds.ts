/** One thing that is measured, done by several. Each function does it once. */
export interface Contest {
  readonly name: string;
  readonly runs: Readonly<Record<string, () => unknown>>;
}

export interface Standing {
  readonly name: string;
  /** Microseconds of CPU (user and system) for one run: the median of the rounds. */
  readonly microseconds: Readonly<Record<string, number>>;
}

/**
 * CPU time, not time on the clock, so that other work on the machine counts less; and rounds in turn, so that what still
 * counts falls on all alike. Compare the figures of one run with each other and with nothing else.
 */
export function measure({ name, runs }: Contest, rounds: number, milliseconds: number): Standing {
  const times = new Map<string, number[]>(Object.keys(runs).map((who) => [who, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const [who, run] of Object.entries(runs)) {
      const time = cpuOf(run, milliseconds);
      // The first round is for the compiler.
      if (round > 0) times.get(who)?.push(time);
    }
  }
  return { name, microseconds: Object.fromEntries([...times].map(([who, all]) => [who, median(all)])) };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

function cpuOf(run: () => unknown, milliseconds: number): number {
  const end = performance.now() + milliseconds;
  const before = process.cpuUsage();
  let count = 0;
  do {
    for (let turn = 0; turn < BATCH; turn += 1) run();
    count += BATCH;
  } while (performance.now() < end);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

const BATCH = 20;
