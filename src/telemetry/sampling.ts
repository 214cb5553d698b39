import {
  type Attributes,
  type Context,
  createContextKey,
  type Link,
  type SpanKind,
} from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  type Sampler,
  SamplingDecision,
  type SamplingResult,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';

export type SamplingSettings =
  | { readonly sampler: 'always_on' | 'always_off' }
  | { readonly sampler: 'traceidratio' /** 0 to 1. */; readonly ratio: number };

/**
 * Decides from the trace id alone, so both sides of a handshake decide alike without talking; what is marked with
 * `keeping` (a failure, a slow one) passes always.
 */
export class HandshakeSampler implements Sampler {
  readonly #base: Sampler;

  constructor(settings: SamplingSettings) {
    this.#base = baseSampler(settings);
  }

  shouldSample(
    context: Context,
    traceId: string,
    name: string,
    kind: SpanKind,
    attributes: Attributes,
    links: Link[],
  ): SamplingResult {
    if (context.getValue(KEEP) === true) return { decision: SamplingDecision.RECORD_AND_SAMPLED };
    return this.#base.shouldSample(context, traceId, name, kind, attributes, links);
  }

  toString(): string {
    return `Handshake{${this.#base.toString()}, failures and slow ones kept}`;
  }
}

/** Marks spans that are never left out. */
export function keeping(context: Context): Context {
  return context.setValue(KEEP, true);
}

function baseSampler(settings: SamplingSettings): Sampler {
  switch (settings.sampler) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(settings.ratio);
  }
}

const KEEP = createContextKey('sallyport.keep');
