import { API_VERSION } from '#policy';
import type { Clock, Log, ReadableWatch, Scope } from '#runtime';
import { sleep } from '#runtime';
import { type KubernetesApi, statusText } from '../kubernetes/api.ts';
import type { ClusterPolicies, KeptPolicy } from './cluster-policies.ts';
import type { Observations } from './observations.ts';
import { isSameStatus, statusOf } from './status.ts';

export interface StatusWriterConfig {
  readonly api: KubernetesApi;
  readonly policies: ClusterPolicies;
  readonly observations: Observations;
  /** Only the leader writes. */
  readonly leads: ReadableWatch<boolean>;
  readonly nameOf: (address: string) => string | undefined;
  /** Whether all sidecars that an object concerns report here, and there is one. */
  readonly isWatched: (kept: KeptPolicy) => boolean;
  /** How long no plaintext must have come before a port may be Strict. */
  readonly quietMilliseconds: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Writes to the API server are what status costs: an object at most so often, all together at most so many. */
const STATUS_LIMITS = {
  everyMilliseconds: 30_000,
  sweepMilliseconds: 1_000,
  writesInSweep: 10,
} as const;

/** Keeps `.status` of MeshPolicy and MeshTLS what it should be. */
export class StatusWriter {
  readonly #config: StatusWriterConfig;
  /** When an object is to be looked at, on the monotonic clock. */
  readonly #due = new Map<string, number>();
  readonly #writtenAt = new Map<string, number>();
  /** Since when plaintext to it is watched: generation, and Unix time. */
  readonly #watchedSince = new Map<string, { readonly generation: number; readonly since: number }>();

  constructor(config: StatusWriterConfig) {
    this.#config = config;
  }

  run(scope: Scope): void {
    const { clock, leads, log, observations, policies } = this.#config;
    scope.defer(policies.onObject((key) => this.#touch(key)));
    scope.defer(observations.subscribe((key) => this.#touch(key)));
    scope.defer(
      leads.subscribe((isLeader) => {
        this.#watchedSince.clear();
        if (isLeader) for (const { key } of policies.all()) this.#touch(key);
      }),
    );
    scope.run(async (signal) => {
      while (!signal.aborted) {
        await sleep(clock, STATUS_LIMITS.sweepMilliseconds, signal);
        if (!leads.value) continue;
        await this.#sweep(signal).catch((error: unknown) => {
          signal.throwIfAborted();
          log.warn('the status of policies could not be written', { error: String(error) });
        });
      }
    });
  }

  #touch(key: string): void {
    const now = this.#config.clock.monotonic();
    const earliest = (this.#writtenAt.get(key) ?? Number.NEGATIVE_INFINITY) + STATUS_LIMITS.everyMilliseconds;
    this.#due.set(key, Math.min(this.#due.get(key) ?? Number.POSITIVE_INFINITY, Math.max(now, earliest)));
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const { clock, policies } = this.#config;
    const now = clock.monotonic();
    let writes = 0;
    for (const [key, at] of this.#due) {
      if (at > now) continue;
      if (writes >= STATUS_LIMITS.writesInSweep) return;
      this.#due.delete(key);
      const kept = policies.find(key);
      if (kept === undefined) {
        this.#writtenAt.delete(key);
        this.#watchedSince.delete(key);
        continue;
      }
      writes += await this.#look(kept, signal);
      // Quiet is a matter of time: nobody tells of it.
      if (admitsPlaintext(kept)) this.#due.set(key, clock.monotonic() + STATUS_LIMITS.everyMilliseconds);
    }
  }

  /** How many writes it took. */
  async #look(kept: KeptPolicy, signal: AbortSignal): Promise<number> {
    const { api, clock, log, nameOf, observations } = this.#config;
    const { key, object } = kept;
    const readyForStrict = admitsPlaintext(kept) ? this.#isQuiet(kept) : undefined;
    const facts = { seen: observations.of(key), nameOf, readyForStrict, now: clock.now() };
    const status = statusOf(kept, facts);
    if (isSameStatus(status, object.status)) return 0;
    this.#writtenAt.set(key, clock.monotonic());
    const { name, namespace = '', resourceVersion } = object.metadata;
    const plural = object.kind === 'MeshPolicy' ? 'meshpolicies' : 'meshtlses';
    const path = `/apis/${API_VERSION}/namespaces/${namespace}/${plural}/${name}/status`;
    const body = {
      apiVersion: API_VERSION,
      kind: object.kind,
      metadata: { name, namespace, resourceVersion },
      // The API server takes the status alone; its schema wants the rest to be there.
      spec: object.spec,
      status,
    };
    const answer = await api.send('PUT', path, body, signal);
    if (answer.status === OK) return 1;
    // Somebody else wrote: the watch tells what, and then it is looked at again.
    if (answer.status !== CONFLICT && answer.status !== GONE)
      log.warn('the status of a policy could not be written', { policy: key, problem: statusText(answer) });
    this.#touch(key);
    return 1;
  }

  #isQuiet(kept: KeptPolicy): boolean {
    const { clock, isWatched, observations, quietMilliseconds } = this.#config;
    const { generation = 0 } = kept.object.metadata;
    const now = clock.now();
    let watched = this.#watchedSince.get(kept.key);
    if (watched?.generation !== generation) {
      watched = { generation, since: now };
      this.#watchedSince.set(kept.key, watched);
    }
    const lastSeen = Math.max(observations.of(kept.key)?.lastSeen ?? 0, watched.since);
    return now - lastSeen >= quietMilliseconds && isWatched(kept);
  }
}

const OK = 200;
const GONE = 404;
const CONFLICT = 409;

function admitsPlaintext({ inForce }: KeptPolicy): boolean {
  const document = inForce?.document;
  if (document?.kind !== 'MeshTLS') return false;
  const { mode, ports } = document.spec;
  return [mode, ...ports.map((port) => port.mode)].some((each) => each === 'Permissive');
}
