import type { Clock, Log, Scope } from '#runtime';
import type { DiscoveryResponse } from '#rpc';
import type { Cluster } from '../cluster.ts';
import { DISCOVERY_REASONS } from '../reasons.ts';
import { SERVE_LIMITS, type ServeLimits } from './limits.ts';
import { type Outlet, Session } from './session.ts';
import { Topics } from './topics.ts';

export interface HubConfig {
  readonly cluster: Cluster;
  readonly trustDomain: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: Partial<ServeLimits>;
}

/** Tells sidecars what the cluster is, as it changes. */
export class Hub {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly limits: ServeLimits;
  readonly topics: Topics<Session>;
  readonly #log: Log;
  readonly #sessions = new Set<Session>();
  #networks: { readonly version: string; readonly response: DiscoveryResponse } | undefined;
  #networksVersion = -1;
  #gathering: (() => void) | undefined;

  constructor({ cluster, clock, limits, log, trustDomain }: HubConfig) {
    this.cluster = cluster;
    this.clock = clock;
    this.limits = { ...SERVE_LIMITS, ...limits };
    this.topics = new Topics(cluster.graph, trustDomain);
    this.#log = log;
  }

  run(scope: Scope): void {
    scope.defer(
      this.cluster.subscribe((affected) => {
        const isStale = this.topics.touch(affected);
        if (isStale || this.cluster.graph.networksVersion !== this.#networksVersion) this.#gather();
      }),
    );
    let cancel = (): void => undefined;
    const sweep = (): void => {
      for (const session of this.#sessions) session.sweep();
      cancel = this.clock.after(this.limits.sweepMilliseconds, sweep);
    };
    sweep();
    scope.defer(() => {
      cancel();
      this.#gathering?.();
      const refusal = { reason: DISCOVERY_REASONS['discovery-ends'], detail: '' };
      for (const session of [...this.#sessions]) session.end(refusal);
    });
  }

  open(outlet: Outlet, name: string): Session {
    const session = new Session(this, outlet, name);
    this.#sessions.add(session);
    return session;
  }

  /** @internal by Session */
  leave(session: Session): void {
    this.#sessions.delete(session);
  }

  /** @internal by Session */
  rejected({ name }: Session, detail: string): void {
    this.#log.warn('a sidecar could not use an answer', { sidecar: name, detail });
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** Of all streams together. */
  get subscriptions(): number {
    let sum = 0;
    for (const session of this.#sessions) sum += session.subscriptions;
    return sum;
  }

  get networks(): { readonly version: string; readonly response: DiscoveryResponse } {
    const version = this.cluster.graph.networksVersion;
    if (this.#networks === undefined || version !== this.#networksVersion) {
      const networks = this.cluster.networks();
      this.#networksVersion = version;
      this.#networks = { version: networks.join(), response: { networks: { networks } } };
    }
    return this.#networks;
  }

  lease() {
    const { cluster, limits } = this;
    return {
      leaseMilliseconds: cluster.fresh ? limits.leaseMilliseconds : 0,
      position: cluster.told,
    };
  }

  #gather(): void {
    this.#gathering ??= this.clock.after(this.limits.gatherMilliseconds, () => {
      this.#gathering = undefined;
      this.flush();
    });
  }

  /** Tells what changed. @internal by Session */
  flush(): void {
    const before = this.#networks;
    const touched = new Set<Session>();
    for (const topic of this.topics.refresh()) {
      for (const session of topic.subscribers) {
        session.changed(topic);
        touched.add(session);
      }
    }
    const all = this.networks.version === before?.version ? touched : new Set(this.#sessions);
    for (const session of all) session.pump();
  }
}
