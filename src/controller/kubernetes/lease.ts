import { type Clock, type Log, type ReadableWatch, type Scope, sleep, Watch } from '#runtime';
import { type KubernetesApi, statusText } from './api.ts';
import { ownedBy, type OwnerReference } from './owner.ts';

export interface LeaseConfig {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly name: string;
  /** Names this replica: its pod. */
  readonly holder: string;
  /** With whom the Lease goes; undefined: it stays. */
  readonly owner?: OwnerReference | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** As in client-go: another may take over when nothing was renewed for this long. */
const DURATION_SECONDS = 15;
const RENEW_MILLISECONDS = 5000;

interface Seen {
  readonly version: string;
  /** By our own monotonic clock: what the holder's clock says is not compared with ours. */
  readonly at: number;
}

/**
 * Says which replica does what one is enough for (coordination.k8s.io/v1 Lease). It is no fence: a replica that was
 * paused may believe for a while that it still leads, so whatever it does then must do no harm.
 */
export class Lease {
  readonly #config: LeaseConfig;
  readonly #leads = new Watch(false);
  #seen: Seen | undefined;

  constructor(config: LeaseConfig) {
    this.#config = config;
  }

  get leads(): ReadableWatch<boolean> {
    return this.#leads;
  }

  /** Until the scope ends; then the lease is given back. */
  run(scope: Scope): void {
    scope.defer(() => this.#release());
    scope.run(async (signal) => {
      let renewedAt = Number.NEGATIVE_INFINITY;
      const { clock } = this.#config;
      while (!signal.aborted) {
        const startedAt = clock.monotonic();
        if (await this.#attempt()) renewedAt = startedAt;
        // Gives up before anybody may take over.
        this.#set(clock.monotonic() - renewedAt < (DURATION_SECONDS * 1000 * 2) / 3);
        await sleep(clock, RENEW_MILLISECONDS, signal);
      }
    });
  }

  /** Whether the lease is ours now. */
  async #attempt(): Promise<boolean> {
    const { api, holder, log, name } = this.#config;
    try {
      const found = await api.send('GET', `${this.#path}/${name}`);
      if (found.status === 404)
        return (await api.send('POST', this.#path, this.#lease(holder))).status === 201;
      if (found.status !== 200) throw new Error(statusText(found));
      const lease = found.body as LeaseObject;
      if (!this.#mayTake(lease)) return false;
      const taken = await api.send('PUT', `${this.#path}/${name}`, this.#lease(holder, lease));
      if (taken.status !== 200 && taken.status !== 409) throw new Error(statusText(taken));
      return taken.status === 200;
    } catch (error) {
      log.warn('the lease could not be renewed', { lease: name, error: String(error) });
      return false;
    }
  }

  #mayTake({ metadata, spec }: LeaseObject): boolean {
    const { clock, holder } = this.#config;
    if ((spec?.holderIdentity ?? '') === '' || spec?.holderIdentity === holder) return true;
    const now = clock.monotonic();
    if (this.#seen?.version !== metadata.resourceVersion)
      this.#seen = { version: metadata.resourceVersion, at: now };
    return now - this.#seen.at >= DURATION_SECONDS * 1000;
  }

  async #release(): Promise<void> {
    if (!this.#leads.value) return;
    this.#set(false);
    const { api, name, holder, log } = this.#config;
    try {
      const found = await api.send('GET', `${this.#path}/${name}`);
      const lease = found.body as LeaseObject;
      if (lease.spec?.holderIdentity !== holder) return;
      await api.send('PUT', `${this.#path}/${name}`, this.#lease('', lease));
    } catch (error) {
      log.info('the lease could not be given back; it ends by itself', { error: String(error) });
    }
  }

  #set(leads: boolean): void {
    if (leads === this.#leads.value) return;
    this.#leads.set(leads);
    this.#config.log.info(leads ? 'this replica leads' : 'this replica does not lead any more', {
      lease: this.#config.name,
    });
  }

  get #path(): string {
    return `/apis/coordination.k8s.io/v1/namespaces/${this.#config.namespace}/leases`;
  }

  #lease(holderIdentity: string, before?: LeaseObject): object {
    const { clock, name, namespace, owner } = this.#config;
    const renewTime = `${new Date(clock.now()).toISOString().slice(0, -1)}000Z`;
    const same = before?.spec?.holderIdentity === holderIdentity;
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        name,
        namespace,
        ...ownedBy(owner),
        ...(before === undefined ? {} : { resourceVersion: before.metadata.resourceVersion }),
      },
      spec: {
        holderIdentity,
        leaseDurationSeconds: DURATION_SECONDS,
        renewTime,
        acquireTime: same ? before?.spec?.acquireTime : renewTime,
        leaseTransitions: (before?.spec?.leaseTransitions ?? 0) + (same ? 0 : 1),
      },
    };
  }
}

interface LeaseObject {
  readonly metadata: { readonly resourceVersion: string };
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly acquireTime?: string;
    readonly leaseTransitions?: number;
  };
}
