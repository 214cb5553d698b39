import { TlsError } from '#handshake';
import { formatAddress, parseAddress } from '#policy';
import type { Clock, Log, Scope } from '#runtime';
import type { DiscoveryResponse__Output } from '#rpc';
import type { Destination } from '../config.ts';
import { type Endpoint, formatEndpoint } from '../listen/endpoint.ts';
import { SIDECAR_REASONS } from '../reason.ts';
import { type Answer, type Party, parseAnswer } from './answer.ts';
import { type Key, type Known, KnownAddresses } from './known-addresses.ts';
import { DISCOVERY_LIMITS, type DiscoveryLimits } from './limits.ts';
import { Networks } from './networks.ts';
import type { ToldPolicies } from './policies.ts';
import type { Reports } from './reports.ts';
import type { DestinationSource } from './source.ts';
import { type OpenDiscovery, Subscription } from './subscription.ts';

export interface DiscoveryConfig {
  /** Opens a stream to a controller, another one each time if there are several. */
  readonly open: OpenDiscovery;
  /** Where policies come from the controller too. */
  readonly policies?: ToldPolicies;
  /** What it is told in return. */
  readonly reports?: Reports;
  /** What every sidecar answers itself, in plaintext. */
  readonly statusPort: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Returns a number in [0, 1). */
  readonly random: () => number;
  readonly limits?: Partial<DiscoveryLimits>;
}

/**
 * What the controller says of addresses. It is asked for what is called, tells what changes of that, and what it said
 * last is kept while it is away: but plaintext to a pod's address only as long as the lease, since the address may be
 * another pod's by then.
 */
export class Discovery implements DestinationSource {
  readonly #config: DiscoveryConfig;
  readonly #limits: DiscoveryLimits;
  readonly #known: KnownAddresses;
  readonly #subscription: Subscription;
  /** Calls that wait for the networks or for a lease. */
  readonly #waiting = new Set<() => void>();
  #networks: Networks | undefined;

  constructor(config: DiscoveryConfig) {
    this.#config = config;
    this.#limits = { ...DISCOVERY_LIMITS, ...config.limits };
    this.#known = new KnownAddresses(this.#limits.addresses);
    this.#subscription = new Subscription({
      ...config,
      limits: this.#limits,
      policies: () => config.policies?.begin(),
      report: () => config.reports?.take(),
      known: () => this.#known.all(),
      told: (response) => this.#told(response),
      renewed: () => wake(this.#waiting),
    });
  }

  run(scope: Scope): void {
    this.#config.policies?.run(scope);
    this.#subscription.run(scope);
  }

  /** How long ago the controller last vouched for what it said; Infinity: never. */
  get ageMilliseconds(): number {
    return this.#subscription.ageMilliseconds;
  }

  /** Addresses and ports that are asked for. */
  get size(): number {
    return this.#known.size;
  }

  async destinationOf(
    called: Endpoint,
    isOwn: (host: string) => boolean,
    mistaken: boolean,
  ): Promise<Destination> {
    if (isOwn(called.host)) return { kind: 'self', address: called };
    const key = keyOf(called);
    if (key === undefined) return { kind: 'unknown' };
    const until = this.#config.clock.monotonic() + this.#limits.holdMilliseconds;
    // Also where the networks are not known yet: most calls are for the cluster.
    const isOutside = this.#networks?.has(key.address) === false;
    const known = isOutside ? undefined : this.#use(key);
    if (!isOutside && known === undefined) {
      throw unknown(called, 'calls to too many addresses wait for an answer');
    }
    if (mistaken && known !== undefined) await this.#lookAnew(known, until);
    for (;;) {
      const judged = this.#judge(called, key, known);
      if (!(judged instanceof TlsError)) return judged;
      if (!(await this.#anythingNew(known, until))) throw judged;
    }
  }

  serviceAt(called: Endpoint): string | undefined {
    const key = keyOf(called);
    const answer = key === undefined ? undefined : this.#known.find(key)?.answer;
    return answer === undefined || answer.kind === 'unknown' ? undefined : answer.name;
  }

  /** True where nothing is known yet: then it is given the time that a sidecar needs to begin. */
  hasSidecar(host: string): boolean {
    const key = keyOf({ host, port: 0 });
    if (key === undefined || this.#networks?.has(key.address) === false) return false;
    const answer = this.#use(key)?.answer;
    if (answer === undefined) return true;
    return answer.kind === 'workload' && answer.party.kind === 'meshed';
  }

  /** A destination, or why there is none: which may change while the call is held. */
  #judge(called: Endpoint, { address, port }: Key, known: Known | undefined): Destination | TlsError {
    if (this.#networks === undefined) return unknown(called, 'the controller has not been reached yet');
    if (known === undefined || !this.#networks.has(address)) return { kind: 'egress', address: called };
    const { answer } = known;
    if (answer === undefined) return unknown(called, 'the controller has not answered');
    switch (answer.kind) {
      case 'unknown':
        return unknown(called, 'the controller knows nobody there');
      case 'workload':
        return this.#workload(called, port, answer.party);
      case 'service':
        return this.#service(called, answer);
    }
  }

  #workload(called: Endpoint, port: number, party: Party): Destination | TlsError {
    if (party.kind === 'unmeshed') {
      return party.lasting || this.#hasLease() ? { kind: 'unmeshed', address: called } : lapsed(called);
    }
    if (port === this.#config.statusPort) return { kind: 'unmeshed', address: called };
    return { kind: 'meshed', address: called, port, identities: party.identities };
  }

  #service(
    called: Endpoint,
    { endpoints, lasting }: Extract<Answer, { kind: 'service' }>,
  ): Destination | TlsError {
    if (this.#hasLease()) return { kind: 'service', endpoints };
    // Whoever is left is called; if there is nobody, it is the lease that is missing.
    if (lasting.endpoints.length === 0 && endpoints.endpoints.length > 0) return lapsed(called);
    return { kind: 'service', endpoints: lasting };
  }

  #hasLease(): boolean {
    return this.#config.clock.monotonic() < this.#subscription.leaseEnds;
  }

  /** Undefined: calls wait for so many others that none can be forgotten for it. */
  #use(key: Key): Known | undefined {
    const used = this.#known.use(key);
    if (used !== undefined) return used;
    const added = this.#known.add(key);
    if (added === undefined) return undefined;
    if (added.forgotten !== undefined) this.#subscription.unsubscribe(added.forgotten.key);
    this.#subscription.subscribe(added.known);
    return added.known;
  }

  /** Asks again, and waits for the word: as long as calls are held, not longer. */
  async #lookAnew(known: Known, until: number): Promise<void> {
    const { words } = known;
    this.#subscription.subscribe(known);
    while (known.words === words && (await this.#anythingNew(known, until))) {
      // Another word woke us.
    }
  }

  /** Waits for the next word that may matter. False: the time is over. */
  #anythingNew(known: Known | undefined, until: number): Promise<boolean> {
    const { clock } = this.#config;
    const left = until - clock.monotonic();
    if (left <= 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (isNew: boolean) => (): void => {
        cancel();
        this.#waiting.delete(onWord);
        known?.waiting.delete(onWord);
        resolve(isNew);
      };
      const onWord = end(true);
      const cancel = clock.after(left, end(false));
      this.#waiting.add(onWord);
      known?.waiting.add(onWord);
    });
  }

  /** Undefined: it was used. Otherwise what of it can't be. */
  #told({ answer, networks, policies }: DiscoveryResponse__Output): string | undefined {
    if (policies) return this.#config.policies?.take(policies);
    if (networks) {
      const parsed = new Networks(networks.networks);
      if (parsed.malformed.length > 0) return `no networks: ${parsed.malformed.join()}`;
      this.#networks = parsed;
      wake(this.#waiting);
    }
    if (!answer?.key) return undefined;
    const known = this.#known.find(answer.key);
    // Forgotten meanwhile.
    if (known === undefined) return undefined;
    const parsed = parseAnswer(answer);
    known.words += 1;
    if (!parsed.ok) {
      // What it was before may be wrong by now, and what it is can't be read.
      known.answer = { kind: 'unknown' };
      known.version = '';
    } else if (parsed.value !== undefined) {
      known.answer = parsed.value;
      known.version = answer.version;
    }
    wake(known.waiting);
    return parsed.ok ? undefined : parsed.error;
  }
}

function keyOf({ host, port }: Endpoint): Key | undefined {
  const words = parseAddress(host);
  return words === undefined ? undefined : { address: formatAddress(words), port };
}

function wake(waiting: ReadonlySet<() => void>): void {
  for (const each of [...waiting]) each();
}

function unknown(called: Endpoint, why: string): TlsError {
  return new TlsError(SIDECAR_REASONS['destination-unknown'], `${formatEndpoint(called)}: ${why}`);
}

function lapsed(called: Endpoint): TlsError {
  return new TlsError(SIDECAR_REASONS['lease-lapsed'], formatEndpoint(called));
}
