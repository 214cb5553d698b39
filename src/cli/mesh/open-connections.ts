import { get } from 'node:http';
import * as z from 'zod';
import { type Clock, type Scope, sleep } from '#runtime';
import { type Hop, hopName } from '../mesh-file/mesh-file.ts';

/** The part of a sidecar's /dump that is read here. */
const dumpSchema = z.object({
  connections: z.object({
    newest: z.array(
      z.object({
        direction: z.string(),
        phase: z.string(),
        carriage: z.string().optional(),
        destination: z.string().optional(),
      }),
    ),
  }),
});

export interface SidecarAdmin {
  readonly service: string;
  /** Its admin port on 127.0.0.1. */
  readonly port: number;
}

/** How many TLS connections each call has open, from the registries of the callers' sidecars, a second old at most. */
export class OpenConnections {
  readonly #clock: Clock;
  readonly #counts = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  count(hop: Hop): number {
    return this.#counts.get(hopName(hop)) ?? 0;
  }

  run(scope: Scope, sidecars: readonly SidecarAdmin[]): void {
    scope.run(async (signal) => {
      for (;;) {
        const found = await Promise.all(sidecars.map((sidecar) => this.#ask(sidecar)));
        this.#counts.clear();
        for (const name of found.flat()) this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
        await sleep(this.#clock, POLL_MILLISECONDS, signal);
      }
    });
  }

  /** The calls of one sidecar, one entry for each open connection. None when it does not answer: it may be stopping. */
  async #ask({ service, port }: SidecarAdmin): Promise<string[]> {
    const dump = dumpSchema.safeParse(await fetchJson(port, '/dump'));
    if (!dump.success) return [];
    return dump.data.connections.newest
      .filter(
        ({ direction, phase, carriage }) =>
          direction === 'outbound' && phase === 'forwarding' && carriage === 'mesh',
      )
      .map(({ destination }) => hopName({ from: service, to: destination?.replace(/:\d+$/, '') ?? '' }));
  }
}

const POLL_MILLISECONDS = 1_000;

function fetchJson(port: number, path: string): Promise<unknown> {
  return new Promise((resolve) => {
    const request = get(
      { host: '127.0.0.1', port, path, agent: false, timeout: POLL_MILLISECONDS },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          text += part;
        });
        response.on('error', () => resolve(undefined));
        response.on('end', () => resolve(parse(text)));
      },
    );
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
