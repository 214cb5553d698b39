import { createLogUpdate } from 'log-update';
import { type Clock, type Scope, sleep } from '#runtime';
import { paintFor } from './paint.ts';
import { renderScreen } from './screen.ts';
import type { MeshSnapshot } from './snapshot.ts';

export interface LiveScreenConfig {
  readonly stream: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly snapshot: () => MeshSnapshot;
  /** Calls its argument when something changed that should be seen at once. */
  readonly onChange: (draw: () => void) => () => void;
}

/** Redraws a terminal until the scope ends, and leaves the last picture standing. */
export function runLiveScreen(scope: Scope, config: LiveScreenConfig): void {
  const { stream, clock } = config;
  const paint = paintFor(stream, config.env);
  const update = createLogUpdate(stream);
  let handshakes: MeshSnapshot['handshakes'] = [];
  let handshakesAt = Number.NEGATIVE_INFINITY;

  const draw = (): void => {
    const mesh = config.snapshot();
    // Numbers may tick, but a list that runs away under the eyes cannot be read.
    if (clock.monotonic() - handshakesAt >= LIST_MILLISECONDS) {
      handshakes = mesh.handshakes;
      handshakesAt = clock.monotonic();
    }
    // A terminal that was never told its size says 0.
    const columns = stream.columns || 80;
    const rows = stream.rows || 24;
    update(renderScreen({ ...mesh, handshakes }, { columns, rows }, paint));
  };
  const resize = (): void => {
    // The terminal has wrapped our lines anew, so what log-update would erase is no longer where it was.
    update.done();
    stream.write(CLEAR_SCREEN);
    draw();
  };
  stream.on('resize', resize);
  const unsubscribe = config.onChange(draw);
  scope.defer(() => {
    stream.off('resize', resize);
    unsubscribe();
    draw();
    update.done();
  });
  scope.run(async (signal) => {
    for (;;) {
      draw();
      await sleep(clock, FRAME_MILLISECONDS, signal);
    }
  });
}

const FRAME_MILLISECONDS = 250;
const LIST_MILLISECONDS = 1_500;
const CLEAR_SCREEN = '\u001B[2J\u001B[H';
