import { type Clock, type Scope, sleep } from '#runtime';
import { changes, status } from './changes.ts';
import type { MeshSnapshot } from './snapshot.ts';

export interface PlainLinesConfig {
  readonly write: (line: string) => void;
  readonly clock: Clock;
  readonly snapshot: () => MeshSnapshot;
  readonly onChange: (look: () => void) => () => void;
}

/** Writes a line for each event that matters, and every ten seconds how it goes, until the scope ends. */
export function runPlainLines(scope: Scope, config: PlainLinesConfig): void {
  let before: MeshSnapshot | undefined;
  const look = (): void => {
    const after = config.snapshot();
    for (const line of changes(before, after)) config.write(line);
    before = after;
  };
  scope.defer(config.onChange(look));
  scope.defer(look);
  scope.run(async (signal) => {
    for (let turn = 1; ; turn += 1) {
      look();
      if (turn % LOOKS_PER_STATUS === 0) config.write(status(config.snapshot()));
      await sleep(config.clock, LOOK_MILLISECONDS, signal);
    }
  });
}

const LOOK_MILLISECONDS = 250;
const LOOKS_PER_STATUS = 40;
