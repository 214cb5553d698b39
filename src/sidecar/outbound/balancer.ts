import type { Reason } from '#handshake';
import type { Clock } from '#runtime';
import { type Candidate, eligible, type SortedSet, sorted } from './eligible.ts';
import type { EndpointSet, ServiceEndpoint, Whereabouts } from './endpoint-set.ts';
import { BALANCE, type Balance, EndpointState } from './endpoint-state.ts';
import { twoChoices } from './two-choices.ts';

/** One try of a call at the endpoint that was chosen. Exactly one of `failed` and `connected` is called, then at most `closed`. */
export interface Attempt {
  readonly key: string;
  readonly endpoint: ServiceEndpoint;
  /** Connected, and its handshake done. */
  readonly connected: () => void;
  /** @param blamed what the endpoint is to be judged by; undefined: our own side failed, or gave up */
  readonly failed: (blamed: Reason | undefined) => void;
  /** What was connected has closed. @param blamed it was broken off by the endpoint, which had answered nothing */
  readonly closed: (blamed?: Reason) => void;
}

/** Who has to know what becomes of endpoints. */
export interface BalancerEvents {
  ejected(service: string, endpoint: ServiceEndpoint, reason: Reason, milliseconds: number): void;
  returned(service: string, endpoint: ServiceEndpoint): void;
}

export interface BalancerConfig {
  readonly clock: Clock;
  /** Returns a number in [0, 1). */
  readonly random: () => number;
  readonly whereabouts: Whereabouts;
  readonly events: BalancerEvents;
  /** Services, and endpoints, that are remembered; what was used longest ago goes first. */
  readonly services: number;
  readonly endpoints: number;
  readonly balance?: Balance;
}

/** Tries of one call. */
export interface Tries {
  readonly tried: ReadonlySet<string>;
  readonly meshedOnly: boolean;
}

/** One row for an operator. */
export interface EndpointRow {
  readonly endpoint: string;
  readonly outstanding: number;
  readonly latencyMs: number;
  readonly ejectedForMs: number;
  readonly failing: string | undefined;
}

/**
 * Chooses among the endpoints of Services, and remembers how they did. What it remembers is shared by all connections,
 * outlives changes of the sets, and goes with an endpoint that is no longer in any.
 */
export class Balancer {
  readonly #config: BalancerConfig;
  readonly #balance: Balance;
  /** Used longest ago first. */
  readonly #services = new Map<string, Known>();
  readonly #states = new Map<string, EndpointState>();

  constructor(config: BalancerConfig) {
    this.#config = config;
    this.#balance = config.balance ?? BALANCE;
  }

  /** Undefined: none is left that this call may try. */
  begin(set: EndpointSet, { meshedOnly, tried }: Tries): Attempt | undefined {
    const { clock, random, whereabouts } = this.#config;
    const now = clock.monotonic();
    const known = this.#known(set);
    const candidates = eligible(known.sorted, whereabouts, {
      meshedOnly,
      tried,
      random,
      panicShare: this.#balance.panicShare,
      isOut: (key) => this.#states.get(key)?.isOut(now) ?? false,
    });
    const kept = candidates.find(({ key }) => key === known.kept?.key && now < known.kept.until);
    const cost = ({ key }: Candidate): number =>
      this.#states.get(key)?.cost(now) ?? this.#balance.floorMilliseconds;
    const chosen = kept ?? twoChoices(candidates, cost, random);
    return chosen === undefined ? undefined : this.#attempt(chosen, known);
  }

  /** How many endpoints are left alone now. */
  get ejected(): number {
    const now = this.#config.clock.monotonic();
    return [...this.#states.values()].filter((state) => state.outFor(now) > 0).length;
  }

  /** Used last first. */
  list(): EndpointRow[] {
    const now = this.#config.clock.monotonic();
    const rows = [...this.#states].map(([endpoint, state]) => ({
      endpoint,
      outstanding: state.outstanding,
      latencyMs: Math.round(state.latency(now) * 1000) / 1000,
      ejectedForMs: Math.round(state.outFor(now)),
      failing: state.failing?.code,
    }));
    return rows.toReversed();
  }

  #attempt({ key, endpoint }: Candidate, known: Known): Attempt {
    const { clock, events } = this.#config;
    const { service, affinityMilliseconds } = known.sorted.set;
    const state = this.#state(key, known);
    const began = clock.monotonic();
    state.outstanding += 1;
    state.trying += 1;
    const failed = (blamed: Reason): void => {
      const milliseconds = state.failed(began, clock.monotonic(), blamed);
      if (milliseconds !== undefined) events.ejected(service, endpoint, blamed, milliseconds);
    };
    return {
      key,
      endpoint,
      connected: () => {
        state.trying -= 1;
        const now = clock.monotonic();
        if (affinityMilliseconds !== undefined) known.kept = { key, until: now + affinityMilliseconds };
        if (state.succeeded(began, now)) events.returned(service, endpoint);
      },
      failed: (blamed) => {
        state.trying -= 1;
        state.outstanding -= 1;
        if (blamed !== undefined) failed(blamed);
      },
      closed: (blamed) => {
        state.outstanding -= 1;
        if (blamed === undefined) state.proved();
        else failed(blamed);
      },
    };
  }

  /** The state of an endpoint that is about to be used. */
  #state(key: string, known: Known): EndpointState {
    const state = this.#states.get(key) ?? new EndpointState(this.#balance, this.#config.random);
    touch(this.#states, key, state);
    known.used.add(key);
    if (this.#states.size > this.#config.endpoints) this.#forgetOldest();
    return state;
  }

  #known(set: EndpointSet): Known {
    const before = this.#services.get(set.service);
    if (before?.sorted.set === set) {
      touch(this.#services, set.service, before);
      return before;
    }
    const fresh = sorted(set, this.#config.whereabouts);
    const known = before ?? { sorted: fresh, used: new Set(), kept: undefined };
    known.sorted = fresh;
    touch(this.#services, set.service, known);
    if (before !== undefined) this.#forgetVanished(known);
    if (this.#services.size > this.#config.services) this.#forgetService();
    return known;
  }

  #forgetVanished({ sorted: { ready, terminating }, used }: Known): void {
    const present = new Set([...ready, ...terminating].map(({ key }) => key));
    for (const key of used) if (!present.has(key)) this.#release(key, used);
  }

  #forgetService(): void {
    for (const [service, { used }] of this.#services) {
      this.#services.delete(service);
      for (const key of used) this.#release(key, used);
      return;
    }
  }

  /** The endpoint goes from one Service; from memory once no other has it. */
  #release(key: string, used: Set<string>): void {
    used.delete(key);
    for (const other of this.#services.values()) if (other.used.has(key)) return;
    this.#states.delete(key);
  }

  #forgetOldest(): void {
    for (const key of this.#states.keys()) {
      this.#states.delete(key);
      for (const { used } of this.#services.values()) used.delete(key);
      return;
    }
  }
}

/** A Service that was called. */
interface Known {
  sorted: SortedSet;
  /** Keys of the endpoints that something is remembered of. */
  readonly used: Set<string>;
  kept: { readonly key: string; readonly until: number } | undefined;
}

/** Puts it at the end: what was used last. */
function touch<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
}
