import { type Reason, TlsError } from '#handshake';
import type { Clock } from '#runtime';
import { formatEndpoint } from '../listen/endpoint.ts';
import { SIDECAR_REASONS } from '../reason.ts';
import type { Callee } from './endpoint-set.ts';

/**
 * What one call has tried. While it tries, nothing was read from the application and nothing was given to it, so that a
 * further try repeats nothing; who reaches the callee is through with this. A protocol in which the server speaks first
 * makes no difference: its first word comes through the same connection, after this.
 */
export class CallTries {
  readonly tried = new Set<string>();
  readonly #clock: Clock;
  readonly #limits: CallLimits;
  readonly #deadline: number;
  readonly #failures: { readonly address: string; readonly reason: Reason }[] = [];
  #meshedOnly = false;
  #mistaken = false;
  #repeated = false;

  constructor(clock: Clock, limits: CallLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#deadline = clock.monotonic() + limits.establishTimeoutMilliseconds;
  }

  /** How many failed. */
  get count(): number {
    return this.#failures.length;
  }

  get meshedOnly(): boolean {
    return this.#meshedOnly;
  }

  /** Somebody else than expected answered: what is known of the destination may be old. */
  get mistaken(): boolean {
    return this.#mistaken;
  }

  /** Returns whether the call may go on trying. */
  failed(
    key: string,
    { kind, address }: Pick<Callee, 'address'> & { readonly kind: string },
    { reason }: TlsError,
  ): boolean {
    this.tried.add(key);
    this.#failures.push({ address: formatEndpoint(address), reason });
    if (kind === 'meshed') this.#meshedOnly = true;
    this.#mistaken = reason.code === MISTAKEN;
    return (
      isTheirs(reason) &&
      this.#failures.length < this.#limits.tries &&
      this.#clock.monotonic() < this.#deadline
    );
  }

  /**
   * When no other endpoint is left: whether the same may be tried again. Once, and only where not even a connection was
   * had: that may be a moment's accident, or a workload that is about to listen.
   */
  repeat(): boolean {
    const last = this.#failures.at(-1);
    if (this.#repeated || last === undefined || !CONNECTING.has(last.reason)) return false;
    this.#repeated = true;
    this.tried.clear();
    return true;
  }

  /** The error that the call ends with: the last one, and what was tried before elsewhere. */
  sum(error: TlsError): TlsError {
    const last = this.#failures.at(-1)?.address;
    const before = this.#failures.slice(0, -1).filter(({ address }) => address !== last);
    if (before.length === 0) return error;
    const text = before.map(({ address, reason }) => `${address} ${reason.code}`).join(', ');
    return new TlsError(error.reason, `${error.detail}; before that ${text}`);
  }
}

export interface CallLimits {
  readonly tries: number;
  readonly establishTimeoutMilliseconds: number;
}

/** Another endpoint may do better, and this one is judged by it. What we lack ourselves is no endpoint's fault. */
export function isTheirs({ blame }: Reason): boolean {
  return blame === 'peer' || blame === 'network';
}

/** identity's own reason: the certificate holds but names somebody else. */
const MISTAKEN = 'spiffe-id-mismatch';

const CONNECTING: ReadonlySet<Reason> = new Set([
  SIDECAR_REASONS['connect-refused'],
  SIDECAR_REASONS['connect-timeout'],
  SIDECAR_REASONS['connect-failed'],
]);
