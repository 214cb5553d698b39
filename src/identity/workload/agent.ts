import type { Refusal } from '#handshake';
import {
  Backoff,
  err,
  type Log,
  type ReadableWatch,
  type Result,
  type Scope,
  ScopeClosed,
  sleep,
  Watch,
} from '#runtime';
import { IDENTITY_REASONS } from '../reasons.ts';
import { stillBelieved, type WorkloadCredential } from './credentials.ts';
import { type RenewalContext, renew } from './renewal.ts';
import { renewalTime } from './schedule.ts';

export interface WorkloadAgentOptions extends RenewalContext {
  readonly log: Log;
  /** In [0, 1). */
  readonly random: () => number;
  /** Renews at least this often, before the schedule would. */
  readonly renewEveryMilliseconds?: number;
}

export interface RenewalFailures {
  /** In a row; 0 after a success. */
  readonly count: number;
  readonly last: Refusal | undefined;
}

/** Fits several times into the shortest life of a leaf (2 minutes) and does not press an authority that is down. */
const BACKOFF = { firstMilliseconds: 500, longestMilliseconds: 30_000, jitter: 0.5 };
/** Of what is left of the certificate: the nearer its end, the sooner an authority that is back is noticed. */
const LONGEST_SHARE = 1 / 16;
/** Timers stand still while a machine sleeps, so the wall clock is asked at least this often. */
const LONGEST_WAIT_MILLISECONDS = 30_000;

const NO_FAILURES: RenewalFailures = Object.freeze({ count: 0, last: undefined });

/**
 * Keeps one workload's credential fresh. What `credentials` holds was accepted by the peers' own verifier; it stays
 * there until something newer was, or until its last second, after which it is undefined.
 */
export class WorkloadAgent {
  readonly #options: WorkloadAgentOptions;
  readonly #credentials = new Watch<WorkloadCredential | undefined>(undefined);
  readonly #failures = new Watch<RenewalFailures>(NO_FAILURES);
  readonly #backoff: Backoff;
  /** The renewal under way, shared by all who ask for one meanwhile. */
  #renewal: Promise<Result<WorkloadCredential, Refusal>> | undefined;
  #signal: AbortSignal | undefined;
  #renewals = 0;
  #dueAt = Number.NEGATIVE_INFINITY;
  /** Ends the present wait of the loop. */
  #wake: () => void = () => undefined;

  constructor(options: WorkloadAgentOptions) {
    this.#options = options;
    this.#backoff = new Backoff(BACKOFF, options.random);
  }

  get credentials(): ReadableWatch<WorkloadCredential | undefined> {
    return this.#credentials;
  }

  get failures(): ReadableWatch<RenewalFailures> {
    return this.#failures;
  }

  /** Renews by schedule until the scope ends. */
  run(scope: Scope): void {
    const { bundle } = this.#options;
    this.#signal = scope.signal;
    scope.defer(bundle.subscribe(() => this.#onBundle()));
    scope.run((signal) => this.#renewOnTime(signal));
    scope.run((signal) => this.#endOnTime(signal));
  }

  /** Resolves with the first credential, at once if there is one; rejects when `signal` aborts. */
  whenReady(signal: AbortSignal): Promise<WorkloadCredential> {
    return new Promise((resolve, reject) => {
      const ready = this.#credentials.value;
      if (ready !== undefined) return resolve(ready);
      if (signal.aborted) return reject(signal.reason as Error);
      const abort = (): void => {
        unsubscribe();
        reject(signal.reason as Error);
      };
      const unsubscribe = this.#credentials.subscribe((credential) => {
        if (credential === undefined) return;
        unsubscribe();
        signal.removeEventListener('abort', abort);
        resolve(credential);
      });
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  /** Renews at once, or joins the renewal under way. Needs `run`; rejects only when the scope ends meanwhile. */
  renewNow(): Promise<Result<WorkloadCredential, Refusal>> {
    const signal = this.#signal;
    if (signal === undefined || signal.aborted) {
      const detail = `the agent of ${this.#options.identity.toString()} does not run`;
      return Promise.resolve(err({ reason: IDENTITY_REASONS['issuance-failed'], detail }));
    }
    this.#renewal ??= this.#renew(signal).finally(() => {
      this.#renewal = undefined;
      this.#wake();
    });
    return this.#renewal;
  }

  async #renewOnTime(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      const left = this.#dueAt - clock.now();
      if (left <= 0) await this.renewNow();
      else await this.#wait(Math.min(left, LONGEST_WAIT_MILLISECONDS), signal);
    }
  }

  async #renew(signal: AbortSignal): Promise<Result<WorkloadCredential, Refusal>> {
    const renewed = await renew(this.#options, this.#renewals, signal);
    if (signal.aborted) throw signal.reason as Error;
    if (renewed.ok) this.#publish(renewed.value);
    else this.#fail(renewed.error);
    return renewed;
  }

  #publish(credential: WorkloadCredential): void {
    const { clock, random, renewEveryMilliseconds: renewEvery, log } = this.#options;
    this.#backoff.reset();
    this.#renewals += 1;
    const { notAfter, serial } = credential;
    this.#dueAt = renewalTime({ obtainedAt: clock.now(), notAfter, random: random(), renewEvery });
    this.#failures.set(NO_FAILURES);
    this.#credentials.set(credential);
    log.info('a new certificate is in use', {
      identity: credential.spiffeId.toString(),
      serial,
      notAfter: new Date(notAfter).toISOString(),
      renewAt: new Date(this.#dueAt).toISOString(),
    });
  }

  #fail(refusal: Refusal): void {
    const { clock, log, identity } = this.#options;
    const current = this.#credentials.value;
    const left = current === undefined ? Number.POSITIVE_INFINITY : current.notAfter - clock.now();
    const longest = Math.max(left * LONGEST_SHARE, BACKOFF.firstMilliseconds);
    this.#dueAt = clock.now() + Math.min(this.#backoff.next(), longest);
    const count = this.#failures.value.count + 1;
    this.#failures.set(Object.freeze({ count, last: refusal }));
    log.warn('a certificate could not be renewed; this is tried again', {
      identity: identity.toString(),
      reason: refusal.reason.code,
      detail: refusal.detail,
      next: refusal.reason.next,
      failures: count,
      ...(current === undefined ? {} : { secondsLeft: Math.floor((current.notAfter - clock.now()) / 1000) }),
      retryAt: new Date(this.#dueAt).toISOString(),
    });
  }

  /** Takes a credential that has ended out of use: showing it would only be refused by others, less clearly. */
  async #endOnTime(signal: AbortSignal): Promise<void> {
    const { clock, log, identity } = this.#options;
    while (!signal.aborted) {
      const current = this.#credentials.value;
      const left = current === undefined ? LONGEST_WAIT_MILLISECONDS : current.notAfter + 1 - clock.now();
      if (current !== undefined && left <= 0) {
        this.#credentials.set(undefined);
        log.error('the certificate has ended and none has come in its place; connections are refused', {
          identity: identity.toString(),
          serial: current.serial,
          notAfter: new Date(current.notAfter).toISOString(),
          failures: this.#failures.value.count,
        });
        continue;
      }
      await sleep(clock, Math.min(left, LONGEST_WAIT_MILLISECONDS), signal);
    }
  }

  /**
   * A bundle that no longer vouches for our issuer makes our certificate worthless before its time; and while there is
   * none, a new bundle may be what was missing.
   */
  #onBundle(): void {
    const { bundle, clock } = this.#options;
    const current = this.#credentials.value;
    if (current !== undefined && stillBelieved(current, bundle.value, clock.now())) return;
    this.#dueAt = clock.now();
    this.#wake();
  }

  async #wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort(new ScopeClosed('wait'));
    await sleep(this.#options.clock, milliseconds, AbortSignal.any([signal, woken.signal])).catch(
      () => undefined,
    );
    signal.throwIfAborted();
  }
}
