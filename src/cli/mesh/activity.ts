import { POLICY_REASONS } from '#policy';
import type { Clock } from '#runtime';
import type { HandshakeRecord } from '#telemetry';
import { type Hop, hopName } from '../mesh-file/mesh-file.ts';
import type { TrafficSample } from '../traffic/traffic-driver.ts';
import { count } from '../view/format.ts';
import type { Totals } from '../view/snapshot.ts';

export interface ActivityConfig {
  /** Who calls whom, with the caller's SPIFFE ID as text. */
  readonly hops: readonly (Hop & { readonly identity: string })[];
  readonly clock: Clock;
}

/** Counts what happens in a mesh, from handshake records and requests as they come. Bounded, whatever comes. */
export class MeshActivity {
  readonly #config: ActivityConfig;
  readonly #totals: Record<keyof Totals, number> = {
    requests: 0,
    ok: 0,
    failed: 0,
    denied: 0,
    passed: 0,
    undecided: 0,
    handshakes: 0,
    resumedHandshakes: 0,
    failedHandshakes: 0,
    denials: 0,
    rotations: 0,
  };
  /** By trace, the oldest first: both sides of a handshake are one entry. */
  readonly #handshakes = new Map<string, HandshakeRecord>();
  readonly #last = new Map<string, HandshakeRecord>();
  readonly #requests = new Map<string, number[]>();
  readonly #faults = new Map<string, number>();

  constructor(config: ActivityConfig) {
    this.#config = config;
  }

  get totals(): Totals {
    return this.#totals;
  }

  handshake(record: HandshakeRecord): void {
    this.#count(record);
    // The server's record has the decision and its reason; the client's is shown where there is no other.
    if (record.role === 'client' && this.#handshakes.has(record.traceId)) return;
    this.#handshakes.delete(record.traceId);
    this.#handshakes.set(record.traceId, record);
    for (const oldest of this.#handshakes.keys()) {
      if (this.#handshakes.size <= MOST_HANDSHAKES) break;
      this.#handshakes.delete(oldest);
    }
    const hop = this.hopOf(record);
    if (hop !== undefined) this.#last.set(hopName(hop), record);
  }

  request(sample: TrafficSample): void {
    this.#totals.requests += 1;
    this.#totals[sample.outcome] += 1;
    if (sample.outcome === 'failed' || sample.outcome === 'passed') this.#fault(sample);
    const now = this.#config.clock.monotonic();
    for (const hop of sample.entry.through) {
      const times = this.#requests.get(hopName(hop)) ?? [];
      times.push(now);
      this.#requests.set(hopName(hop), recent(times, now));
    }
  }

  /** How requests failed, or passed that should not have, each way once with its number. */
  get faults(): string[] {
    return [...this.#faults].map(([fault, times]) => `${fault} (${count(times, 'time')})`);
  }

  rotation(): void {
    this.#totals.rotations += 1;
  }

  /** The newest first, one for each trace. */
  newest(limit: number): HandshakeRecord[] {
    return [...this.#handshakes.values()].slice(-limit).reverse();
  }

  lastHandshake(hop: Hop): HandshakeRecord | undefined {
    return this.#last.get(hopName(hop));
  }

  requestsPerSecond(hop: Hop): number {
    const times = recent(this.#requests.get(hopName(hop)) ?? [], this.#config.clock.monotonic());
    return times.length / (RATE_WINDOW_MILLISECONDS / 1_000);
  }

  /** Which call a handshake belonged to. Undefined for a peer that is no service of this mesh. */
  hopOf(record: HandshakeRecord): Hop | undefined {
    const { hops } = this.#config;
    if (record.role === 'server') {
      return hops.find(({ to, identity }) => to === record.service && identity === record.peer);
    }
    const to = record.destination?.replace(/:\d+$/, '');
    return hops.find((hop) => hop.from === record.service && hop.to === to);
  }

  #fault({ entry, outcome, answer }: TrafficSample): void {
    const how = answer.kind === 'status' ? `status ${answer.status}` : answer.error;
    const fault = `http://${entry.service}${entry.path} ${outcome}: ${how}`;
    const known = this.#faults.get(fault);
    if (known !== undefined || this.#faults.size < MOST_FAULTS) this.#faults.set(fault, (known ?? 0) + 1);
  }

  /** Each handshake has two sides; the server's is the one that verified the client and let it in or not. */
  #count(record: HandshakeRecord): void {
    if (record.role !== 'server') return;
    const { establishedMs, peer, resumption, version } = record;
    const whole = establishedMs !== undefined && peer !== undefined && version === '1.3';
    if (whole && resumption === 'resumed') this.#totals.resumedHandshakes += 1;
    else if (whole) this.#totals.handshakes += 1;
    else this.#totals.failedHandshakes += 1;
    if (record.result === 'refused' && Object.hasOwn(POLICY_REASONS, record.reason ?? '')) {
      this.#totals.denials += 1;
    }
  }
}

const MOST_HANDSHAKES = 256;
const MOST_FAULTS = 16;
const RATE_WINDOW_MILLISECONDS = 5_000;

function recent(times: readonly number[], now: number): number[] {
  return times.filter((time) => time > now - RATE_WINDOW_MILLISECONDS);
}
