import type { Counter, Meter } from '@opentelemetry/api';
import type { Reason } from '#handshake';
import type { ReasonLabels } from './labels.ts';

/** How a sidecar's calls fare among the endpoints of Services. No label names an endpoint: there are too many. */
export class EndpointMeters {
  readonly #reasons: ReasonLabels;
  readonly #retries: Counter;
  readonly #ejections: Counter;
  readonly #ejected = new Map<string, () => number>();

  constructor(meter: Meter, reasons: ReasonLabels) {
    this.#reasons = reasons;
    this.#retries = meter.createCounter('sallyport.connections.retries', {
      description: 'Further tries of calls of which nothing had been sent yet, by why the try before failed',
      unit: '{try}',
    });
    this.#ejections = meter.createCounter('sallyport.endpoints.ejections', {
      description: 'Endpoints that were left alone for a time because a call to them failed, by reason',
      unit: '{ejection}',
    });
    const ejected = meter.createObservableUpDownCounter('sallyport.endpoints.ejected', {
      description: 'Endpoints that are left alone now',
      unit: '{endpoint}',
    });
    ejected.addCallback((result) => {
      for (const [service, read] of this.#ejected) result.observe(read(), { service });
    });
  }

  retried(service: string, reason: Reason): void {
    this.#retries.add(1, { service, reason: this.#reasons.label(reason.code) });
  }

  ejected(service: string, reason: Reason): void {
    this.#ejections.add(1, { service, reason: this.#reasons.label(reason.code) });
  }

  watchEjected(service: string, read: () => number): () => void {
    this.#ejected.set(service, read);
    return () => this.#ejected.delete(service);
  }
}
