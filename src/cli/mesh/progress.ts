import type { ReadableWatch, Scope } from '#runtime';
import type { TrafficEntry } from '../mesh-file/mesh-file.ts';
import type { Gate } from './gate.ts';

/** What is looked at of a gate. */
export type Startable = Pick<Gate, 'credentials'> & {
  readonly entry: Pick<Gate['entry'], 'name'>;
  readonly process: Pick<Gate['process'], 'state'>;
};

/** Which services were ready at least once, and which traffic has begun. */
export class Progress {
  readonly #gates: readonly Startable[];
  readonly #wereReady = new Set<string>();
  readonly #begun = new Set<TrafficEntry>();

  constructor(scope: Scope, gates: readonly Startable[]) {
    this.#gates = gates;
    for (const { entry, process } of gates) {
      const look = (): void => {
        if (process.state.value.phase === 'ready') this.#wereReady.add(entry.name);
      };
      scope.defer(process.state.subscribe(look));
      look();
    }
  }

  /** Resolves when every service on the way answers and every sidecar on it has a certificate. */
  async begin(entry: TrafficEntry, signal: AbortSignal): Promise<void> {
    const gates = this.#gates.filter(({ entry: { name } }) => servicesOf(entry).involved.has(name));
    const watches = gates.flatMap(({ process, credentials }) => [process.state, credentials]);
    await until(() => this.#lacking(entry).length === 0, watches, signal);
    this.#begun.add(entry);
  }

  /** One sentence for each service that was never ready, and for each of these entries that never began. */
  unmet(traffic: readonly TrafficEntry[]): string[] {
    const never = this.#gates.map(({ entry }) => entry.name).filter((name) => !this.#wereReady.has(name));
    const unasked = traffic.filter((entry) => !this.#begun.has(entry));
    return [
      ...never.map((name) => `${name} never became ready`),
      ...unasked.map((entry) => {
        const lacking = this.#lacking(entry);
        const why = lacking.length > 0 ? lacking.join(', ') : 'its services were ready only at the end';
        return `http://${entry.service}${entry.path} was never asked: ${why}`;
      }),
    ];
  }

  /** What an entry waits for. */
  #lacking(entry: TrafficEntry): string[] {
    const { called, involved } = servicesOf(entry);
    return this.#gates.flatMap(({ entry: { name }, process, credentials }) => {
      if (!involved.has(name)) return [];
      if (called.has(name) && process.state.value.phase !== 'ready') return [`${name} was not ready`];
      return credentials.value === undefined ? [`${name} had no certificate`] : [];
    });
  }
}

function servicesOf({ service, through }: TrafficEntry): {
  readonly called: ReadonlySet<string>;
  readonly involved: ReadonlySet<string>;
} {
  const called = new Set([service, ...through.map(({ to }) => to)]);
  return { called, involved: new Set([...called, ...through.map(({ from }) => from)]) };
}

/** Resolves when `holds` is true, asked after each change of a watch; rejects when `signal` aborts. */
function until(
  holds: () => boolean,
  watches: readonly ReadableWatch<unknown>[],
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const check = (): void => {
      if (!signal.aborted && !holds()) return;
      for (const end of ends) end();
      signal.removeEventListener('abort', check);
      if (signal.aborted) reject(signal.reason as Error);
      else resolve();
    };
    const ends = watches.map((watch) => watch.subscribe(check));
    signal.addEventListener('abort', check);
    check();
  });
}
