import type { Refusal } from '#handshake';
import { parseAddress, formatAddress } from '#policy';
import { err, ok, printable, type Result } from '#runtime';
import type { DiscoveryRequest__Output, DiscoveryResponse } from '#rpc';
import type { Position } from '../cluster.ts';
import { DISCOVERY_REASONS } from '../reasons.ts';
import type { Key } from './encode.ts';
import type { Hub } from './hub.ts';
import type { Follower } from '../../policies/follower.ts';
import type { Topic } from './topics.ts';

/** The other end of one stream. */
export interface Outlet {
  /** False: no more before `Session.drained`. */
  write(response: DiscoveryResponse): boolean;
  /** Ends the stream; nothing is written any more. */
  end(refusal: Refusal): void;
}

/** Of the pod whose sidecar asks. */
export interface SessionPod {
  readonly podUid: string;
  readonly namespace: string;
}

interface Subscription {
  /** Of the answer that the sidecar has; empty: none. */
  version: string;
  /** It waits for a word even if it has the newest. */
  asked: boolean;
  /** Of the answer, as counted in the session. */
  endpoints: number;
}

/**
 * What one sidecar asked for and has been told. Nothing is queued for it: only which answers it lacks is remembered, so a
 * slow one gets the newest of each, late, and costs no more than what it asked for.
 */
export class Session {
  /** For logs. */
  readonly name: string;
  readonly #hub: Hub;
  readonly #outlet: Outlet;
  readonly #openedAt: number;
  readonly #subscriptions = new Map<Topic<Session>, Subscription>();
  readonly #lacking = new Set<Topic<Session>>();
  /** In the answers to all subscriptions. */
  #endpoints = 0;
  #seen: Position | undefined;
  #started = false;
  #networks: string | undefined;
  #policies: Follower | undefined;
  #renew: number | undefined;
  #heardAt: number;
  /** Requests that it may still send, as of `#countedAt`. */
  #allowed: number;
  #countedAt: number;
  #complainedAt = Number.NEGATIVE_INFINITY;
  #blockedAt: number | undefined;
  #ended = false;

  readonly #pod: SessionPod | undefined;

  /** @param pod as its certificate proved it */
  constructor(hub: Hub, outlet: Outlet, name: string, pod: SessionPod | undefined) {
    this.#pod = pod;
    this.#hub = hub;
    this.#outlet = outlet;
    this.name = name;
    this.#openedAt = this.#heardAt = this.#countedAt = hub.clock.monotonic();
    this.#allowed = hub.limits.requests;
  }

  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  receive({ request, ...message }: DiscoveryRequest__Output): void {
    if (this.#ended) return;
    const keys = message.subscribe?.keys.length ?? message.unsubscribe?.keys.length ?? rowsOf(message.report);
    const taken = this.#mayAsk(keys) ? this.#take(request, message) : this.#tooMuch();
    if (!taken.ok) this.end(taken.error);
    else this.pump();
  }

  /** The answer to this topic is another now. */
  changed(topic: Topic<Session>): void {
    this.#lacking.add(topic);
  }

  drained(): void {
    this.#blockedAt = undefined;
    this.pump();
  }

  /** Looks from time to time whether it lives, and whether it may start. */
  sweep(): void {
    const { clock, limits } = this.#hub;
    const now = clock.monotonic();
    if (this.#blockedAt !== undefined && now - this.#blockedAt >= limits.blockedMilliseconds) {
      this.end({ reason: DISCOVERY_REASONS['discovery-slow'], detail: this.name });
    } else if (now - this.#heardAt >= limits.silentMilliseconds) {
      this.end({ reason: DISCOVERY_REASONS['discovery-silent'], detail: this.name });
    } else if (!this.#started) this.pump();
  }

  /** Writes what it lacks, as far as it reads. A lease comes after everything that it is meant to cover. */
  pump(): void {
    if (this.#ended || !this.#mayStart()) return;
    const { networks } = this.#hub;
    if (this.#networks !== networks.version) {
      this.#networks = networks.version;
      if (!this.#write(networks.response)) return;
    }
    const policies = this.#policies?.next();
    if (policies !== undefined && !this.#write(policies)) return;
    for (const topic of this.#lacking) {
      this.#lacking.delete(topic);
      const subscription = this.#subscriptions.get(topic);
      if (subscription === undefined || (subscription.version === topic.version && !subscription.asked)) {
        continue;
      }
      const { key, response, version } = topic;
      const unchanged = subscription.version === version;
      if (!this.#count(topic, subscription)) {
        this.end(this.#tooManyEndpoints());
        return;
      }
      this.#subscriptions.set(topic, { version, asked: false, endpoints: topic.endpoints });
      if (!this.#write(unchanged ? { answer: { key, version, unchanged: {} } } : response)) return;
    }
    if (this.#renew === undefined) return;
    const sequence = this.#renew;
    this.#renew = undefined;
    this.#write({ renewed: { sequence, ...this.#hub.lease() } });
  }

  end(refusal: Refusal): void {
    if (this.#ended) return;
    this.close();
    this.#outlet.end(refusal);
  }

  /** The stream is gone. */
  close(): void {
    this.#ended = true;
    for (const topic of this.#subscriptions.keys()) this.#hub.topics.remove(topic, this);
    this.#policies?.close();
    this.#policies = undefined;
    this.#subscriptions.clear();
    this.#lacking.clear();
    this.#hub.leave(this);
  }

  /** Whether it may go on writing. */
  #write(response: DiscoveryResponse): boolean {
    if (this.#blockedAt !== undefined) return false;
    const more = this.#outlet.write(response);
    if (!more) this.#blockedAt = this.#hub.clock.monotonic();
    return more;
  }

  #mayStart(): boolean {
    if (this.#blockedAt !== undefined) return false;
    if (this.#started) return true;
    const { clock, cluster, limits } = this.#hub;
    if (this.#seen === undefined || !cluster.synced) return false;
    const waited = clock.monotonic() - this.#openedAt;
    this.#started = cluster.hasReached(this.#seen) || (cluster.fresh && waited >= limits.behindMilliseconds);
    return this.#started;
  }

  #take(
    request: DiscoveryRequest__Output['request'],
    { start, subscribe, unsubscribe, renew, reject, report }: Omit<DiscoveryRequest__Output, 'request'>,
  ): Result<undefined, Refusal> {
    if ((request === 'start') !== (this.#seen === undefined)) return malformed('start comes first, and once');
    if (request === 'start') {
      this.#seen = start?.seen ?? NOTHING_SEEN;
      if (start?.policies && this.#pod !== undefined) {
        this.#policies = this.#hub.follow(this, this.#pod, start.policies.version);
      }
      return ok(undefined);
    }
    if (request === 'renew') {
      this.#heardAt = this.#hub.clock.monotonic();
      this.#renew = renew?.sequence ?? 0;
      return ok(undefined);
    }
    if (request === 'reject') {
      if (reject?.key) this.#complain(`${reject.key.address} ${reject.key.port}: ${reject.detail}`);
      else {
        this.#complain(`policies: ${reject?.detail}`);
        this.#policies?.forget();
      }
      return ok(undefined);
    }
    if (request === 'report') {
      if (report) this.#policies?.report(report);
      return ok(undefined);
    }
    if (request === 'unsubscribe') {
      for (const key of unsubscribe?.keys ?? []) this.#unsubscribe(key);
      return ok(undefined);
    }
    for (const { key, version } of subscribe?.keys ?? []) {
      const taken = this.#subscribe(key, version);
      if (!taken.ok) return taken;
    }
    return request === 'subscribe' ? ok(undefined) : malformed('a request that says nothing');
  }

  /** Each key may have a whole answer worked out. */
  #mayAsk(keys: number): boolean {
    const { clock, limits } = this.#hub;
    const now = clock.monotonic();
    const refilled = ((now - this.#countedAt) / 1_000) * limits.requestsPerSecond;
    this.#allowed = Math.min(this.#allowed + refilled, limits.requests) - Math.max(keys, 1);
    this.#countedAt = now;
    return this.#allowed >= 0;
  }

  #tooMuch(): Result<never, Refusal> {
    return err({ reason: DISCOVERY_REASONS['discovery-too-many-requests'], detail: this.name });
  }

  /** To the log, at most once in `sweepMilliseconds`: what it says is the sidecar's. */
  #complain(detail: string): void {
    const { clock, limits } = this.#hub;
    const now = clock.monotonic();
    if (now - this.#complainedAt < limits.sweepMilliseconds) return;
    this.#complainedAt = now;
    this.#hub.rejected(this, printable(detail).slice(0, LONGEST_COMPLAINT));
  }

  #subscribe(key: Key | null, version: string): Result<undefined, Refusal> {
    const checked = checkedKey(key);
    if (checked === undefined) return malformed(`no address and port: ${JSON.stringify(key)}`);
    const { limits, topics } = this.#hub;
    const topic = topics.add(checked, this);
    if (!this.#subscriptions.has(topic) && this.#subscriptions.size >= limits.subscriptions) {
      topics.remove(topic, this);
      const detail = `${limits.subscriptions} by ${this.name}`;
      return err({ reason: DISCOVERY_REASONS['discovery-too-many-subscriptions'], detail });
    }
    const subscription = { version, asked: true, endpoints: this.#subscriptions.get(topic)?.endpoints ?? 0 };
    this.#subscriptions.set(topic, subscription);
    // At once, and not when it is told: a request may name thousands.
    if (!this.#count(topic, subscription)) return err(this.#tooManyEndpoints());
    this.#lacking.add(topic);
    // Who asks is told what holds now, not what held before the changes that are being gathered.
    if (topics.isStale(topic)) this.#hub.flush();
    return ok(undefined);
  }

  /** Whether all that it asks for is no more than one stream may have. */
  #count(topic: Topic<Session>, subscription: Subscription): boolean {
    this.#endpoints += topic.endpoints - subscription.endpoints;
    subscription.endpoints = topic.endpoints;
    return this.#endpoints <= this.#most;
  }

  /** Endpoints that it may ask for now: who has few goes on, however many others have. */
  get #most(): number {
    const { endpoints, endpointsOverall, endpointsThen } = this.#hub.limits;
    return this.#hub.topics.endpoints > endpointsOverall ? Math.min(endpointsThen, endpoints) : endpoints;
  }

  #tooManyEndpoints(): Refusal {
    const detail = `${this.#endpoints} by ${this.name}; at most ${this.#most}`;
    return { reason: DISCOVERY_REASONS['discovery-too-many-endpoints'], detail };
  }

  #unsubscribe(key: Key): void {
    const topic = this.#hub.topics.find(key);
    const subscription = topic && this.#subscriptions.get(topic);
    if (topic === undefined || subscription === undefined) return;
    this.#subscriptions.delete(topic);
    this.#endpoints -= subscription.endpoints;
    this.#lacking.delete(topic);
    this.#hub.topics.remove(topic, this);
  }
}

function malformed(detail: string): Result<never, Refusal> {
  return err({ reason: DISCOVERY_REASONS['discovery-malformed'], detail });
}

function rowsOf(report: DiscoveryRequest__Output['report']): number {
  return (report?.wouldDeny.length ?? 0) + (report?.plaintext.length ?? 0);
}

const NOTHING_SEEN: Position = {
  pods: 0,
  services: 0,
  endpointslices: 0,
  nodes: 0,
  meshpolicies: 0,
  meshtlses: 0,
};
const MOST_PORT = 65_535;
const LONGEST_COMPLAINT = 300;

/** Only canonical text, so that one address is one topic. */
function checkedKey(key: Key | null): Key | undefined {
  if (key === null || key.port > MOST_PORT) return undefined;
  const words = parseAddress(key.address);
  return words !== undefined && formatAddress(words) === key.address ? key : undefined;
}
