import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { Log } from '#runtime';

/** Follows whether a signal's exports arrive. Says so in the log once per change, not once per failure. */
export class ExportHealth {
  readonly #log: Log;
  #failing = false;
  #lost = 0;

  constructor(signal: 'traces' | 'metrics', url: string, log: Log) {
    const { origin, pathname } = new URL(url);
    this.#log = log.with({ signal, endpoint: origin + pathname });
  }

  /** Spans or metric points that the exporter gave up on. */
  get lost(): number {
    return this.#lost;
  }

  /** Runs one export and follows its end; an exception of the exporter becomes a failed export. */
  follow(
    items: number,
    done: (result: ExportResult) => void,
    send: (done: (result: ExportResult) => void) => void,
  ): void {
    const settle = (result: ExportResult): void => {
      this.#settled(result, items);
      done(result);
    };
    try {
      send(settle);
    } catch (error) {
      settle({
        code: ExportResultCode.FAILED,
        error: error instanceof Error ? error : new Error(String(error)),
      });
    }
  }

  #settled(result: ExportResult, items: number): void {
    const failed = result.code !== ExportResultCode.SUCCESS;
    if (failed) this.#lost += items;
    if (failed === this.#failing) return;
    this.#failing = failed;
    if (failed) {
      this.#log.warn('telemetry export fails; traffic is not affected', {
        error: result.error?.message ?? 'unknown',
        next: 'Look whether the collector runs and listens for OTLP over HTTP at this endpoint.',
      });
    } else {
      this.#log.info('telemetry export works again', { lost: this.#lost });
    }
  }
}
