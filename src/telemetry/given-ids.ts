import { type IdGenerator, RandomIdGenerator } from '@opentelemetry/sdk-trace';

/**
 * The SDK asks an IdGenerator for the ids of every span that it starts, synchronously. So a span gets a chosen id if it
 * is started inside `during`; all others get random ones. A span with a parent takes the parent's trace id by itself.
 */
export class GivenIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  #given: { readonly traceId: string; readonly spanId: string } | undefined;

  during<T>(ids: { readonly traceId: string; readonly spanId: string }, start: () => T): T {
    this.#given = ids;
    try {
      return start();
    } finally {
      this.#given = undefined;
    }
  }

  generateTraceId(): string {
    return this.#given?.traceId ?? this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.#given?.spanId ?? this.#random.generateSpanId();
  }
}
