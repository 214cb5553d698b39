import { type ClientRequest, request } from 'node:http';
import { type Clock, type Scope, sleep } from '#runtime';
import type { Hop, TrafficEntry } from '../mesh-file/mesh-file.ts';
import { type Answer, classify, type Expectation, type Outcome } from './classify.ts';

/** One line of traffic with the loopback port that its requests are sent to. */
export interface TrafficTarget {
  readonly entry: TrafficEntry;
  readonly port: number;
}

/** One request and how it went. */
export interface TrafficSample {
  readonly entry: TrafficEntry;
  readonly outcome: Outcome;
  readonly answer: Answer;
  /** The hops that were refused by policy when it was sent. */
  readonly forbidden: readonly Hop[];
  readonly durationMilliseconds: number;
}

export interface TrafficDriverConfig {
  readonly target: TrafficTarget;
  /** What the policies in force at this moment say of these hops. */
  readonly expect: (hops: readonly Hop[]) => Expectation;
  readonly record: (sample: TrafficSample) => void;
  readonly clock: Clock;
}

/**
 * Sends the requests of one line of mesh.yaml at its pace, each over a new connection, without retries. Closing the
 * scope stops new requests and waits for those under way.
 */
export function runTraffic(scope: Scope, config: TrafficDriverConfig): void {
  const { target, clock } = config;
  scope.run(async (signal) => {
    const underway = new Set<Promise<void>>();
    try {
      while (!signal.aborted) {
        // Where answers are slower than the pace, the pace gives way: waiting requests would only pile up.
        if (underway.size < MOST_UNDERWAY) {
          const running = send(config).finally(() => underway.delete(running));
          underway.add(running);
        }
        await sleep(clock, target.entry.everyMilliseconds, signal);
      }
    } finally {
      await Promise.all(underway);
    }
  });
}

const MOST_UNDERWAY = 32;
const LONGEST_REQUEST_MILLISECONDS = 5_000;

async function send(config: TrafficDriverConfig): Promise<void> {
  const { target } = config;
  const { entry } = target;
  const startedAt = config.clock.monotonic();
  const before = config.expect(entry.through);
  const answer = await ask(target, config.clock);
  const after = config.expect(entry.through);
  config.record({
    entry,
    outcome: classify({ before, after, answer, direct: entry.as !== undefined }),
    answer,
    forbidden: before.forbidden,
    durationMilliseconds: config.clock.monotonic() - startedAt,
  });
}

/** Resolves when the whole answer came, or with the reason why none did. Never rejects. */
function ask({ entry, port }: TrafficTarget, clock: Clock): Promise<Answer> {
  return new Promise((resolve) => {
    const call: ClientRequest = request(
      { host: '127.0.0.1', port, path: entry.path, agent: false, headers: { host: entry.service } },
      (response) => {
        response.resume();
        response.once('end', () => settle({ kind: 'status', status: response.statusCode ?? 0 }));
        response.once('error', (error) => settle(failed(error)));
      },
    );
    const cancel = clock.after(LONGEST_REQUEST_MILLISECONDS, () => {
      settle({ kind: 'none', error: `no answer within ${LONGEST_REQUEST_MILLISECONDS / 1000} s` });
      call.destroy();
    });
    const settle = (answer: Answer): void => {
      cancel();
      resolve(answer);
    };
    call.on('error', (error) => settle(failed(error)));
    call.end();
  });
}

function failed(error: NodeJS.ErrnoException): Answer {
  return { kind: 'none', error: error.code ?? error.message };
}
