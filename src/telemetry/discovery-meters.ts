import type { Counter, Meter, ObservableResult } from '@opentelemetry/api';

/** What a sidecar knows by discovery. */
export interface DiscoveryState {
  /** Since a controller last vouched for what it said; Infinity: never. */
  readonly ageMilliseconds: number;
  /** Addresses and ports that it asks for. */
  readonly addresses: number;
}

/** What a controller tells by discovery. */
export interface DiscoveryServiceState {
  /** Since the watch that was silent for longest was heard of; Infinity: not yet. */
  readonly ageMilliseconds: number;
  /** Open streams; each is a sidecar's. */
  readonly streams: number;
  /** Addresses and ports that all of them ask for, counted for each. */
  readonly subscriptions: number;
  /** MeshPolicy and MeshTLS objects: in force as they are written, and those that are not. */
  readonly policies: { readonly accepted: number; readonly refused: number };
}

const MILLISECONDS = 1_000;

/** How old what is known of the cluster is, on both sides, and what it costs. */
export class DiscoveryMeters {
  readonly #sidecars = new Map<string, () => DiscoveryState>();
  readonly #controllers = new Map<string, () => DiscoveryServiceState>();
  readonly #restarts: Counter;

  constructor(meter: Meter) {
    this.#restarts = meter.createCounter('sallyport.discovery.watch_restarts', {
      description: 'Watches of the API server that were begun anew, by kind of object and why',
      unit: '{restart}',
    });
    meter
      .createObservableGauge('sallyport.discovery.age', {
        description: 'Seconds since what is known of the cluster was last confirmed; without it, never',
        unit: 's',
      })
      .addCallback((result) => {
        for (const [service, read] of [...this.#sidecars, ...this.#controllers]) {
          const seconds = read().ageMilliseconds / MILLISECONDS;
          if (Number.isFinite(seconds)) result.observe(seconds, { service });
        }
      });
    meter
      .createObservableUpDownCounter('sallyport.discovery.addresses', {
        description: 'Addresses and ports that a sidecar asks for',
        unit: '{address}',
      })
      .addCallback((result) => observe(result, this.#sidecars, ({ addresses }) => addresses));
    meter
      .createObservableUpDownCounter('sallyport.discovery.streams', {
        description: 'Sidecars that the controller tells of the cluster',
        unit: '{stream}',
      })
      .addCallback((result) => observe(result, this.#controllers, ({ streams }) => streams));
    meter
      .createObservableUpDownCounter('sallyport.discovery.subscriptions', {
        description: 'Addresses and ports that all sidecars ask for, counted for each',
        unit: '{subscription}',
      })
      .addCallback((result) => observe(result, this.#controllers, ({ subscriptions }) => subscriptions));
    meter
      .createObservableUpDownCounter('sallyport.policy.objects', {
        description: 'MeshPolicy and MeshTLS objects: accepted, or refused since they have a mistake',
        unit: '{object}',
      })
      .addCallback((result) => {
        for (const [service, read] of this.#controllers) {
          const { accepted, refused } = read().policies;
          result.observe(accepted, { service, state: 'accepted' });
          result.observe(refused, { service, state: 'refused' });
        }
      });
  }

  watch(service: string, read: () => DiscoveryState): () => void {
    this.#sidecars.set(service, read);
    return () => void this.#sidecars.delete(service);
  }

  watchService(service: string, read: () => DiscoveryServiceState): () => void {
    this.#controllers.set(service, read);
    return () => void this.#controllers.delete(service);
  }

  /** `kind` and `reason` are of closed sets. */
  restarted(service: string, kind: string, reason: string): void {
    this.#restarts.add(1, { service, kind, reason });
  }
}

function observe<State>(
  result: ObservableResult,
  watched: ReadonlyMap<string, () => State>,
  value: (state: State) => number,
): void {
  for (const [service, read] of watched) result.observe(value(read()), { service });
}
