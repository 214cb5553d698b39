import type { Telemetry } from '#telemetry';

type Processor = NonNullable<Parameters<typeof Telemetry.create>[0]['spanProcessors']>[number];
type Span = Parameters<Processor['onEnd']>[0];

/** Spans as an exporter gets them, kept to be looked at. */
export class KeptSpans implements Processor {
  readonly #spans: Span[] = [];

  onStart(): void {}

  onEnd(span: Span): void {
    this.#spans.push(span);
  }

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }

  /** The handshakes that one service's sidecar took part in, oldest first. */
  handshakes(service: string): Span[] {
    return this.#of('tls.handshake', service);
  }

  /** Connections of its that failed after their handshake. */
  failures(service: string): Span[] {
    return this.#of('tls.connection', service);
  }

  forget(): void {
    this.#spans.length = 0;
  }

  #of(kind: string, service: string): Span[] {
    return this.#spans.filter(
      ({ name, attributes }) => name === kind && attributes['sallyport.service'] === service,
    );
  }
}
