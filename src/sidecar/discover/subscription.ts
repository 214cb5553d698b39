import type { Refusal } from '#handshake';
import { Backoff, type Clock, type Log, type Scope, sleep } from '#runtime';
import type { DiscoveryRequest, DiscoveryResponse__Output } from '#rpc';
import type { Key, Known } from './known-addresses.ts';
import type { DiscoveryLimits } from './limits.ts';

/** One stream to a controller. */
export interface DiscoveryStream {
  send(request: DiscoveryRequest): void;
  close(): void;
}

/** Opens a stream; what goes wrong, at once or later, is told to `ended`, once, if it was not closed before. */
export type OpenDiscovery = (on: {
  readonly response: (response: DiscoveryResponse__Output) => void;
  readonly ended: (why: Refusal) => void;
}) => DiscoveryStream;

export interface SubscriptionConfig {
  readonly open: OpenDiscovery;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly limits: DiscoveryLimits;
  /** Of the policies that are known, where they come from the controller; undefined: they don't. */
  readonly policies: () => string | undefined;
  /** What this sidecar saw, for a controller that tells policies; undefined: nothing since it was asked last. */
  readonly report: () => DiscoveryRequest['report'] | undefined;
  /** What is asked for on a new stream. */
  readonly known: () => Iterable<Known>;
  /** Takes an answer in; returns what of it can't be used. */
  readonly told: (response: DiscoveryResponse__Output) => string | undefined;
  /** There is a lease again, or still. */
  readonly renewed: () => void;
}

type Position = NonNullable<NonNullable<DiscoveryResponse__Output['renewed']>['position']>;

/** Keeps a stream to one of the controllers, and the lease that it renews. */
export class Subscription {
  readonly #config: SubscriptionConfig;
  readonly #backoff: Backoff;
  #stream: DiscoveryStream | undefined;
  #seen: Position = NOTHING_SEEN;
  #sequence = 0;
  /** When the requests for a lease that are not answered yet were sent. */
  #asked = new Map<number, number>();
  #vouchedAt = Number.NEGATIVE_INFINITY;
  #leaseEnds = Number.NEGATIVE_INFINITY;

  constructor(config: SubscriptionConfig) {
    this.#config = config;
    const { limits, random } = config;
    this.#backoff = new Backoff(
      {
        firstMilliseconds: limits.firstDelayMilliseconds,
        longestMilliseconds: limits.longestDelayMilliseconds,
        jitter: limits.delayJitter,
      },
      random,
    );
  }

  run(scope: Scope): void {
    scope.run((signal) => this.#follow(signal));
  }

  /** On the monotonic clock. It counts from when the lease was asked for, so no delay on the way prolongs it. */
  get leaseEnds(): number {
    return this.#leaseEnds;
  }

  get ageMilliseconds(): number {
    return this.#config.clock.monotonic() - this.#vouchedAt;
  }

  /** Also for one that is asked for already: then there is a word about it in any case. */
  subscribe({ key, version }: Known): void {
    this.#stream?.send({ subscribe: { keys: [{ key, version }] } });
  }

  unsubscribe(key: Key): void {
    this.#stream?.send({ unsubscribe: { keys: [key] } });
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { clock, limits, log } = this.#config;
    while (!signal.aborted) {
      const begun = clock.monotonic();
      const why = await this.#one(signal);
      if (signal.aborted) return;
      // Not sooner: a controller that takes streams and drops them would be asked without pause.
      if (clock.monotonic() - begun >= limits.longestDelayMilliseconds) this.#backoff.reset();
      log.warn('discovery broke off', { reason: why.code, detail: why.detail });
      await sleep(clock, this.#backoff.next(), signal);
    }
  }

  /** One stream, from its opening to its end. */
  #one(signal: AbortSignal): Promise<{ readonly code: string; readonly detail: string }> {
    const { clock, limits, open } = this.#config;
    return new Promise((resolve) => {
      let cancel = (): void => undefined;
      let over = false;
      const end = (code: string, detail: string): void => {
        if (over) return;
        over = true;
        cancel();
        signal.removeEventListener('abort', onAbort);
        this.#stream = undefined;
        this.#asked.clear();
        stream.close();
        resolve({ code, detail });
      };
      const onAbort = (): void => end('ended', '');
      let heardAt = clock.monotonic();
      let tellsPolicies = false;
      const stream = open({
        response: (response) => {
          if (over) return;
          if (response.renewed) heardAt = clock.monotonic();
          if (response.policies) tellsPolicies = true;
          this.#take(response, stream);
        },
        // Never before `stream` is there.
        ended: ({ reason, detail }) => queueMicrotask(() => end(reason.code, detail)),
      });
      signal.addEventListener('abort', onAbort, { once: true });
      this.#stream = stream;
      this.#begin(stream);
      const renew = (): void => {
        if (clock.monotonic() - heardAt >= limits.silentMilliseconds) {
          end('silent', `no lease for ${limits.silentMilliseconds} ms`);
          return;
        }
        this.#sequence += 1;
        this.#asked.set(this.#sequence, clock.monotonic());
        stream.send({ renew: { sequence: this.#sequence } });
        const report = tellsPolicies ? this.#config.report() : undefined;
        if (report) stream.send({ report });
        cancel = clock.after(limits.renewMilliseconds, renew);
      };
      renew();
    });
  }

  #begin(stream: DiscoveryStream): void {
    const { known, limits, policies } = this.#config;
    const version = policies();
    stream.send({
      start: { seen: this.#seen, ...(version === undefined ? {} : { policies: { version } }) },
    });
    const keys = Array.from(known(), ({ key, version }) => ({ key, version }));
    for (let from = 0; from < keys.length; from += limits.keysPerRequest) {
      stream.send({ subscribe: { keys: keys.slice(from, from + limits.keysPerRequest) } });
    }
  }

  #take(response: DiscoveryResponse__Output, stream: DiscoveryStream): void {
    const { log, renewed, told } = this.#config;
    if (!response.renewed) {
      const problem = told(response);
      if (problem === undefined) return;
      const { key = null, version = '' } = response.answer ?? {};
      log.warn('the controller said what this sidecar cannot use', { ...key, detail: problem });
      stream.send({ reject: { key, version, detail: problem } });
      return;
    }
    const { leaseMilliseconds, position, sequence } = response.renewed;
    const askedAt = this.#asked.get(sequence);
    for (const each of this.#asked.keys()) if (each <= sequence) this.#asked.delete(each);
    if (position) this.#seen = newest(this.#seen, position);
    if (askedAt === undefined || leaseMilliseconds <= 0) return;
    this.#vouchedAt = askedAt;
    this.#leaseEnds = askedAt + leaseMilliseconds;
    renewed();
  }
}

const NOTHING_SEEN: Position = {
  pods: 0,
  services: 0,
  endpointslices: 0,
  nodes: 0,
  meshpolicies: 0,
  meshtlses: 0,
};

function newest(a: Position, b: Position): Position {
  return {
    pods: Math.max(a.pods, b.pods),
    services: Math.max(a.services, b.services),
    endpointslices: Math.max(a.endpointslices, b.endpointslices),
    nodes: Math.max(a.nodes, b.nodes),
    meshpolicies: Math.max(a.meshpolicies, b.meshpolicies),
    meshtlses: Math.max(a.meshtlses, b.meshtlses),
  };
}
