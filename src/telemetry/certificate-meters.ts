import type { Attributes, Counter, Meter } from '@opentelemetry/api';
import type { Refusal } from '#handshake';
import type { Clock, ReadableWatch } from '#runtime';
import type { ReasonLabels } from './labels.ts';

/** What the gauges need of a workload's credential. Dates in milliseconds since the Unix epoch. */
export interface CredentialDates {
  readonly notAfter: number;
  readonly issuer: { readonly notAfter: number };
  /** How often it has been renewed since the start. */
  readonly renewals: number;
}

export interface RenewalFailures {
  /** Grows with each failure; may fall to 0 after a success. */
  readonly count: number;
  readonly last: Refusal | undefined;
}

interface Watched {
  readonly service: string;
  readonly credentials: ReadableWatch<CredentialDates | undefined>;
}

interface WatchedRoot {
  readonly service: string;
  readonly root: ReadableWatch<{ readonly notAfter: number } | undefined>;
}

/**
 * When each certificate ends. Read at the moment of collection, so a renewed certificate moves its gauge at once and a
 * stale one can't stand (istio/istio#54828).
 */
export class CertificateMeters {
  readonly #clock: Clock;
  readonly #reasons: ReasonLabels;
  readonly #watched = new Set<Watched>();
  readonly #roots = new Set<WatchedRoot>();
  readonly #offsets = new Map<string, ReadableWatch<number | undefined>>();
  readonly #failures: Counter;

  constructor(meter: Meter, clock: Clock, reasons: ReasonLabels) {
    this.#clock = clock;
    this.#reasons = reasons;
    this.#observe(meter);
    this.#failures = meter.createCounter('sallyport.certificate.renewal_failures', {
      description: 'Renewals that failed, by reason; the last good certificate stays in use',
      unit: '{renewal}',
    });
  }

  watch(service: string, credentials: Watched['credentials']): () => void {
    const entry = { service, credentials };
    this.#watched.add(entry);
    return () => void this.#watched.delete(entry);
  }

  watchRoot(service: string, root: WatchedRoot['root']): () => void {
    const entry = { service, root };
    this.#roots.add(entry);
    return () => void this.#roots.delete(entry);
  }

  watchClockOffset(service: string, offset: ReadableWatch<number | undefined>): () => void {
    this.#offsets.set(service, offset);
    return () => this.#offsets.delete(service);
  }

  watchFailures(service: string, failures: ReadableWatch<RenewalFailures>): () => void {
    const count = (now: RenewalFailures, before: number): void => {
      if (now.count <= before) return;
      this.#failures.add(now.count - before, { service, reason: this.#reasons.label(now.last?.reason.code) });
    };
    count(failures.value, 0);
    return failures.subscribe((now, before) => count(now, before.count));
  }

  #observe(meter: Meter): void {
    const notAfter = meter.createObservableGauge('sallyport.certificate.not_after', {
      description: 'End of the certificate in use, Unix time, by kind: leaf, issuer, root',
      unit: 's',
    });
    const left = meter.createObservableGauge('sallyport.certificate.seconds_left', {
      description:
        "Seconds until the end of the certificate in use, by this process's clock; negative when it is over",
      unit: 's',
    });
    const outage = meter.createObservableGauge('sallyport.certificate.seconds_to_outage', {
      description:
        'Seconds until connections fail if nothing is renewed from now on: to the first end of leaf, issuer and root',
      unit: 's',
    });
    const offset = meter.createObservableGauge('sallyport.certificate.clock_offset', {
      description: "How far the authority's clock is ahead of this process's, as of its last answer",
      unit: 's',
    });
    const renewals = meter.createObservableCounter('sallyport.certificate.renewals', {
      description: 'Certificates obtained in place of an earlier one',
      unit: '{renewal}',
    });
    meter.addBatchObservableCallback(
      (result) => {
        const end = (milliseconds: number, labels: Attributes): void => {
          result.observe(notAfter, milliseconds / 1000, labels);
          result.observe(left, (milliseconds - this.#clock.now()) / 1000, labels);
        };
        for (const { service, credentials } of this.#watched) {
          const credential = credentials.value;
          if (credential === undefined) continue;
          end(credential.notAfter, { service, kind: 'leaf' });
          end(credential.issuer.notAfter, { service, kind: 'issuer' });
          result.observe(renewals, credential.renewals, { service });
          const ends = [credential.notAfter, credential.issuer.notAfter, this.#rootEnd(service)];
          result.observe(outage, (Math.min(...ends) - this.#clock.now()) / 1000, { service });
        }
        for (const [service, { value }] of this.#offsets) {
          if (value !== undefined) result.observe(offset, value / 1000, { service });
        }
        for (const { service, root } of this.#roots) {
          if (root.value !== undefined) end(root.value.notAfter, { service, kind: 'root' });
        }
      },
      [notAfter, left, outage, offset, renewals],
    );
  }

  #rootEnd(service: string): number {
    const ends = [...this.#roots]
      .filter((each) => each.service === service)
      .map(({ root }) => root.value?.notAfter);
    return Math.min(...ends.map((end) => end ?? Number.POSITIVE_INFINITY));
  }
}
