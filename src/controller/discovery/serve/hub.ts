import type { Clock, Log, Scope } from '#runtime';
import type { DiscoveryResponse } from '#rpc';
import type { Cluster } from '../cluster.ts';
import { DISCOVERY_REASONS } from '../reasons.ts';
import { SERVE_LIMITS, type ServeLimits } from './limits.ts';
import type { Follower, Followers } from '../../policies/follower.ts';
import { type Outlet, Session, type SessionPod } from './session.ts';
import { Topics } from './topics.ts';

export interface HubConfig {
  readonly cluster: Cluster;
  readonly trustDomain: string;
  /** Undefined: nobody is told policies. */
  readonly followers?: Followers;
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
  readonly #followers: Followers | undefined;
  /** Whose policies may have changed. */
  readonly #touched = new Set<Session>();
  #networks: Networks | undefined;
  #networksVersion = -1;
  /** On the monotonic clock: new networks are told from then on. */
  #networksFrom = Number.NEGATIVE_INFINITY;
  #flushMilliseconds = 0;
  #gathering: (() => void) | undefined;
  #cancelNetworks: (() => void) | undefined;

  constructor({ cluster, clock, followers, limits, log, trustDomain }: HubConfig) {
    this.#followers = followers;
    this.cluster = cluster;
    this.clock = clock;
    this.limits = { ...SERVE_LIMITS, ...limits };
    this.topics = new Topics(cluster.graph, trustDomain);
    this.#log = log;
  }

  run(scope: Scope): void {
    scope.defer(
      this.cluster.subscribe((affected) => {
        if (this.topics.touch(affected) || this.#hasNewNetworks) this.#gather();
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
      this.#cancelNetworks?.();
      const refusal = { reason: DISCOVERY_REASONS['discovery-ends'], detail: '' };
      for (const session of [...this.#sessions]) session.end(refusal);
    });
  }

  open(outlet: Outlet, name: string, pod?: SessionPod): Session {
    const session = new Session(this, outlet, name, pod);
    this.#sessions.add(session);
    return session;
  }

  /** @internal by Session */
  leave(session: Session): void {
    this.#sessions.delete(session);
    this.#touched.delete(session);
  }

  /** @internal by Session */
  follow(session: Session, pod: SessionPod, known: string): Follower | undefined {
    return this.#followers?.follow(pod, known, () => {
      this.#touched.add(session);
      this.#gather();
    });
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

  get networks(): Networks {
    const now = this.clock.monotonic();
    if (this.#networks !== undefined && (!this.#hasNewNetworks || now < this.#networksFrom))
      return this.#networks;
    this.#networksVersion = this.cluster.graph.networksVersion;
    const { networks, cut } = this.cluster.networks();
    const version = networks.join();
    if (version === this.#networks?.version) return this.#networks;
    if (cut > 0) {
      this.#log.error('the cluster has more networks and addresses than sidecars can be told', {
        told: networks.length,
        cut,
        next: 'name what is missing in clusterNetworks; look who made so many externalIPs or load balancers',
      });
    }
    this.#networks = { version, response: { networks: { networks: [...networks] } } };
    this.#networksFrom =
      now + (version.length * this.#sessions.size) / this.limits.networkBytesPerMillisecond;
    return this.#networks;
  }

  get #hasNewNetworks(): boolean {
    return this.cluster.graph.networksVersion !== this.#networksVersion;
  }

  lease() {
    const { cluster, limits } = this;
    return {
      leaseMilliseconds: cluster.fresh ? limits.leaseMilliseconds : 0,
      position: cluster.told,
    };
  }

  #gather(): void {
    if (this.#gathering !== undefined) return;
    const { gatherMilliseconds, gatherShare } = this.limits;
    const wait = Math.max(gatherMilliseconds, gatherShare * this.#flushMilliseconds);
    this.#gathering = this.clock.after(wait, () => {
      this.#gathering = undefined;
      const began = this.clock.monotonic();
      this.flush();
      this.#flushMilliseconds = this.clock.monotonic() - began;
    });
  }

  /** Tells what changed. @internal by Session */
  flush(): void {
    const before = this.#networks;
    const touched = new Set(this.#touched);
    this.#touched.clear();
    for (const topic of this.topics.refresh()) {
      if (topic.cut)
        this.#log.warn('a Service has more endpoints than sidecars are told', { service: topic.name });
      for (const session of topic.subscribers) {
        session.changed(topic);
        touched.add(session);
      }
    }
    const all = this.networks === before ? touched : new Set(this.#sessions);
    for (const session of all) session.pump();
    this.#awaitNetworks();
  }

  /** Looks again once new networks may be told. */
  #awaitNetworks(): void {
    if (!this.#hasNewNetworks || this.#cancelNetworks !== undefined) return;
    this.#cancelNetworks = this.clock.after(Math.max(this.#networksFrom - this.clock.monotonic(), 0), () => {
      this.#cancelNetworks = undefined;
      this.#gather();
    });
  }
}

/** What belongs to the cluster, as it was told last. */
interface Networks {
  readonly version: string;
  readonly response: DiscoveryResponse;
}
