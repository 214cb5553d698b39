import type { Counter, Histogram, Meter } from '@opentelemetry/api';
import type { Reason, Refusal } from '#handshake';
import type { ReasonLabels } from './labels.ts';

/** One request for a certificate that was answered. */
export interface IssuanceAnswer {
  readonly method: 'issue' | 'renew' | 'pod-certificate';
  /** undefined: a certificate was issued. */
  readonly refusal: Refusal | undefined;
  readonly milliseconds: number;
}

/** What a controller gives out and refuses. No label names a workload: the audit record does. */
export class IssuanceMeters {
  readonly #reasons: ReasonLabels;
  readonly #requests: Counter;
  readonly #duration: Histogram;
  readonly #refused: Counter;
  readonly #connections = new Map<string, () => number>();

  constructor(meter: Meter, reasons: ReasonLabels) {
    this.#reasons = reasons;
    this.#requests = meter.createCounter('sallyport.issuance.requests', {
      description: 'Requests for certificates, by method and by the reason of the refusal; none: issued',
      unit: '{request}',
    });
    this.#duration = meter.createHistogram('sallyport.issuance.duration', {
      description: 'Time from a request to its answer',
      unit: 's',
      advice: { explicitBucketBoundaries: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] },
    });
    this.#refused = meter.createCounter('sallyport.rpc.connections_refused', {
      description: 'Connections for remote calls that came to no call, by reason',
      unit: '{connection}',
    });
    const open = meter.createObservableUpDownCounter('sallyport.rpc.connections', {
      description: 'Open connections for remote calls',
      unit: '{connection}',
    });
    open.addCallback((result) => {
      for (const [service, read] of this.#connections) result.observe(read(), { service });
    });
  }

  answered(service: string, { method, refusal, milliseconds }: IssuanceAnswer): void {
    this.#requests.add(1, { service, method, reason: this.#reasons.label(refusal?.reason.code) });
    this.#duration.record(milliseconds / 1000, { service, method });
  }

  refused(service: string, reason: Reason): void {
    this.#refused.add(1, { service, reason: this.#reasons.label(reason.code) });
  }

  watchConnections(service: string, read: () => number): () => void {
    this.#connections.set(service, read);
    return () => this.#connections.delete(service);
  }
}
