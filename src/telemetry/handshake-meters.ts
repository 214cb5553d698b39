import type { Attributes, Counter, Histogram, Meter } from '@opentelemetry/api';
import type { HandshakeRecord } from './handshake-record.ts';
import { alertLabel, NONE, type ReasonLabels } from './labels.ts';

/** Handshakes, counted and timed by role, version, suite, group, result and reason; policy decisions beside them. */
export class HandshakeMeters {
  readonly #reasons: ReasonLabels;
  readonly #duration: Histogram;
  readonly #handshakes: Counter;
  readonly #sessions: Counter;
  readonly #weakOffers: Counter;
  readonly #decisions: Counter;

  constructor(meter: Meter, reasons: ReasonLabels) {
    this.#reasons = reasons;
    this.#duration = meter.createHistogram('sallyport.tls.handshake.duration', {
      description: 'Time from the first byte to both Finished, or to the failure',
      unit: 's',
      advice: { explicitBucketBoundaries: BUCKETS_SECONDS },
    });
    this.#handshakes = meter.createCounter('sallyport.tls.handshakes', {
      description: 'Handshakes that were decided, by result and reason',
      unit: '{handshake}',
    });
    this.#sessions = meter.createCounter('sallyport.tls.sessions', {
      description: 'Handshakes by how the two sides knew each other, and why a session was not used',
      unit: '{handshake}',
    });
    this.#weakOffers = meter.createCounter('sallyport.tls.weak_offers', {
      description: 'Weak or obsolete things that clients offered beside good ones, and that were passed over',
      unit: '{offer}',
    });
    this.#decisions = meter.createCounter('sallyport.policy.decisions', {
      description: 'Authorization decisions, by policy, result and enforcement (shadow: counted only)',
      unit: '{decision}',
    });
  }

  handshake(record: HandshakeRecord): void {
    const labels: Attributes = {
      service: record.service,
      role: record.role,
      version: record.version ?? NONE,
      suite: record.suite ?? NONE,
      group: record.group ?? NONE,
      result: record.result,
      reason: this.#reasons.label(record.reason),
    };
    this.#duration.record(record.durationMs / 1000, labels);
    for (const weakness of record.weakOffers ?? []) {
      this.#weakOffers.add(1, { service: record.service, weakness });
    }
    this.#handshakes.add(1, { ...labels, alert: alertLabel(record.alert?.name) });
    if (record.resumption === undefined) return;
    const { service, role, resumption, sessionDeclined } = record;
    this.#sessions.add(1, { service, role, resumption, declined: sessionDeclined ?? NONE });
  }

  decision(decision: PolicyDecision): void {
    const { service, policy, rule, allowed, enforcement } = decision;
    const result = allowed ? 'allowed' : 'denied';
    this.#decisions.add(1, {
      service,
      policy: policy ?? NONE,
      rule: rule === undefined ? NONE : String(rule),
      result,
      enforcement,
    });
  }
}

export interface PolicyDecision {
  readonly service: string;
  /** `namespace/name` of the policy that decided; undefined where the default did. Operators choose it, peers can't. */
  readonly policy: string | undefined;
  /** The index of the policy's rule that matched; undefined: none did. At most 64 of a policy. */
  readonly rule: number | undefined;
  readonly allowed: boolean;
  readonly enforcement: 'enforce' | 'shadow';
}

/** A full handshake takes 1 to 3 ms between neighbours, 100 ms across an ocean; 5 s is the sidecar's limit. */
const BUCKETS_SECONDS = [
  0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];
