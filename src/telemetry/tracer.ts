import { ROOT_CONTEXT, type Tracer } from '@opentelemetry/api';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import { type SpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions';
import type { ConnectionFailure } from './connection-failure.ts';
import { GivenIds } from './given-ids.ts';
import type { HandshakeRecord } from './handshake-record.ts';
import { HandshakeSampler, keeping, type SamplingSettings } from './sampling.ts';
import { emitFailureSpan } from './failure-span.ts';
import { emitSpans } from './spans.ts';

export interface TracerConfig {
  readonly processors: readonly SpanProcessor[];
  readonly sampling: SamplingSettings;
  /** Of every span; `service.name` is each sidecar's own. */
  readonly resource: Readonly<Record<string, string>>;
  /** A handshake that takes longer is kept whatever the sampler says. */
  readonly slowMilliseconds: number;
}

/**
 * Spans of all sidecars of the process. Backends group by the resource's `service.name`, so each service has its own
 * TracerProvider; they share the processors, and with them one queue and one connection to the collector.
 */
export class HandshakeTracer {
  readonly #config: TracerConfig;
  readonly #ids = new GivenIds();
  readonly #sampler: HandshakeSampler;
  readonly #tracers = new Map<string, Tracer>();

  constructor(config: TracerConfig) {
    this.#config = config;
    this.#sampler = new HandshakeSampler(config.sampling);
  }

  emit(record: HandshakeRecord): void {
    const keep = record.result !== 'ok' || record.durationMs > this.#config.slowMilliseconds;
    // The context is given explicitly: the process's active one is nobody's parent here.
    emitSpans(record, this.#tracer(record.service), this.#ids, keep ? keeping(ROOT_CONTEXT) : ROOT_CONTEXT);
  }

  /** Failures are kept whatever the sampler says. */
  emitFailure(failure: ConnectionFailure): void {
    emitFailureSpan(failure, this.#tracer(failure.service), keeping(ROOT_CONTEXT));
  }

  #tracer(service: string): Tracer {
    let tracer = this.#tracers.get(service);
    if (tracer === undefined) {
      const attributes = { ...this.#config.resource, [ATTR_SERVICE_NAME]: service };
      const provider = new TracerProvider({
        resource: defaultResource().merge(resourceFromAttributes(attributes)),
        sampler: this.#sampler,
        idGenerator: this.#ids,
        spanProcessors: [...this.#config.processors],
      });
      tracer = provider.getTracer('sallyport');
      this.#tracers.set(service, tracer);
    }
    return tracer;
  }
}
