import { createHash } from 'node:crypto';
import { supersedes, type TokenLedger, type TokenUse } from '#identity/issuance';
import { type Clock, type Log, type ReadableWatch, type Scope, sleep } from '#runtime';
import { type KubernetesApi, statusText } from '../kubernetes/api.ts';
import { ownedBy, type OwnerReference } from '../kubernetes/owner.ts';

export interface TokenLeasesConfig {
  readonly api: KubernetesApi;
  readonly namespace: string;
  /** With whom the Leases go; undefined: they stay. */
  readonly owner?: OwnerReference | undefined;
  /** One replica is enough to clean up; several at once do no harm. */
  readonly leads: ReadableWatch<boolean>;
  readonly clock: Clock;
  readonly log: Log;
}

const SWEEP_MILLISECONDS = 5 * 60_000;
/** Clocks of replicas and of the API server, which judges tokens again, may differ by this much. */
const KEPT_BEYOND_MILLISECONDS = 10 * 60_000;
/** A token is used anew once in a run of its sidecar, so others are faster once or twice at most. */
const ATTEMPTS = 5;
/** Unix time, seconds. Label selectors can compare it. */
const UNTIL = 'mesh.sallyport.dev/token-until';

/**
 * The ledger of tokens in Kubernetes: a small Lease for each, named by the token, held by the key. Making one is the
 * compare-and-swap, so of two replicas that are shown one token at the same moment one is refused, and a new pod costs
 * one write. Whoever took another token's place for a restarted sidecar compares resourceVersions.
 */
export class TokenLeases implements TokenLedger {
  readonly #config: TokenLeasesConfig;

  constructor(config: TokenLeasesConfig) {
    this.#config = config;
  }

  async keep(use: TokenUse): Promise<TokenUse> {
    const { api } = this.#config;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const made = await api.send('POST', this.#path, this.#lease(use));
      if (made.status === CREATED) return use;
      if (made.status !== CONFLICT) throw new Error(statusText(made));
      const path = `${this.#path}/${nameOf(use)}`;
      const found = await api.send('GET', path);
      // It was cleaned up meanwhile.
      if (found.status === NOT_FOUND) continue;
      if (found.status !== OK) throw new Error(statusText(found));
      const before = readLease(use, found.body);
      if (!supersedes(use, before.use)) return before.use;
      const replaced = await api.send('PUT', path, this.#lease(use, before.version));
      if (replaced.status === OK) return use;
      if (replaced.status !== CONFLICT && replaced.status !== NOT_FOUND)
        throw new Error(statusText(replaced));
    }
    throw new Error(`others changed Lease ${nameOf(use)} ${ATTEMPTS} times in a row`);
  }

  /** Removes those of tokens that have expired, until the scope ends. */
  run(scope: Scope): void {
    const { clock, leads, log } = this.#config;
    scope.run(async (signal) => {
      for (;;) {
        await sleep(clock, SWEEP_MILLISECONDS, signal);
        if (!leads.value) continue;
        await this.sweep(signal).catch((error: unknown) => {
          log.warn('the Leases of expired tokens could not be removed; this is tried again', {
            error: String(error),
          });
        });
      }
    });
  }

  async sweep(signal: AbortSignal): Promise<void> {
    const { api, clock } = this.#config;
    const before = Math.floor((clock.now() - KEPT_BEYOND_MILLISECONDS) / 1000);
    const selector = encodeURIComponent(`${UNTIL}<${before}`);
    const answer = await api.send('DELETE', `${this.#path}?labelSelector=${selector}`, undefined, signal);
    if (answer.status !== OK) throw new Error(statusText(answer));
  }

  get #path(): string {
    return `/apis/coordination.k8s.io/v1/namespaces/${this.#config.namespace}/leases`;
  }

  #lease(use: TokenUse, resourceVersion?: string): object {
    const { clock, namespace, owner } = this.#config;
    const left = Math.ceil((use.expiresAt - clock.now()) / 1000);
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        name: nameOf(use),
        namespace,
        ...ownedBy(owner),
        labels: {
          'app.kubernetes.io/managed-by': 'sallyport',
          [UNTIL]: String(Math.ceil(use.expiresAt / 1000)),
        },
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
      spec: {
        holderIdentity: use.key,
        leaseTransitions: use.run,
        leaseDurationSeconds: Math.max(left, 1),
        acquireTime: `${new Date(clock.now()).toISOString().slice(0, -1)}000Z`,
      },
    };
  }
}

const OK = 200;
const CREATED = 201;
const NOT_FOUND = 404;
const CONFLICT = 409;

/** A jti may have any characters; its hash says nothing of the token. */
function nameOf({ id }: TokenUse): string {
  return `token-${createHash('sha256').update(id).digest('hex').slice(0, 40)}`;
}

interface LeaseObject {
  readonly metadata?: { readonly resourceVersion?: string };
  readonly spec?: { readonly holderIdentity?: string; readonly leaseTransitions?: number };
}

/** A Lease that somebody emptied is held by no key, and only a later run takes it. */
function readLease(use: TokenUse, body: unknown): { readonly use: TokenUse; readonly version: string } {
  const { metadata, spec } = body as LeaseObject;
  const version = metadata?.resourceVersion;
  if (version === undefined) throw new Error(`Lease ${nameOf(use)} came without a resourceVersion`);
  const { holderIdentity: key = '', leaseTransitions: run = 0 } = spec ?? {};
  return { use: { ...use, key, run }, version };
}
