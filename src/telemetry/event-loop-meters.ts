import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Meter } from '@opentelemetry/api';
import type { Clock } from '#runtime';

/** Seconds; what is between the moment a timer was due and the moment it ran. */
export interface LoopDelays {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What measures, between two resets. */
export interface DelayMeasure {
  read(): LoopDelays;
  reset(): void;
  stop(): void;
}

/**
 * How late this process's timers were: a process without processor time fails handshakes by their time limits, and
 * nothing else says so. Named by the OpenTelemetry registry (nodejs.eventloop.*). Each figure is of the last one to two
 * minutes, whoever reads and how often.
 */
export class EventLoopMeters {
  readonly #clock: Clock;
  readonly #measure: DelayMeasure;
  #before: LoopDelays = NONE;
  #since: number;
  #utilization = performance.eventLoopUtilization();

  constructor(meter: Meter, clock: Clock, measure: DelayMeasure = nodeMeasure()) {
    this.#clock = clock;
    this.#measure = measure;
    this.#since = clock.monotonic();
    const gauge = (name: string, description: string, unit: string) =>
      meter.createObservableGauge(name, { description, unit });
    const p50 = gauge('nodejs.eventloop.delay.p50', 'Median delay of the event loop', 's');
    const p99 = gauge('nodejs.eventloop.delay.p99', '99th percentile of the delay of the event loop', 's');
    const max = gauge('nodejs.eventloop.delay.max', 'Longest delay of the event loop', 's');
    const utilization = gauge(
      'nodejs.eventloop.utilization',
      'Share of time that the event loop worked',
      '1',
    );
    meter.addBatchObservableCallback(
      (result) => {
        const delays = this.#read();
        result.observe(p50, delays.p50);
        result.observe(p99, delays.p99);
        result.observe(max, delays.max);
        result.observe(utilization, performance.eventLoopUtilization(this.#utilization).utilization);
      },
      [p50, p99, max, utilization],
    );
  }

  stop(): void {
    this.#measure.stop();
  }

  #read(): LoopDelays {
    const now = this.#measure.read();
    const worst = {
      p50: now.p50,
      p99: Math.max(now.p99, this.#before.p99),
      max: Math.max(now.max, this.#before.max),
    };
    if (this.#clock.monotonic() - this.#since >= WINDOW_MILLISECONDS) {
      this.#since = this.#clock.monotonic();
      this.#before = now;
      this.#utilization = performance.eventLoopUtilization();
      this.#measure.reset();
    }
    return worst;
  }
}

const WINDOW_MILLISECONDS = 60_000;
const NONE: LoopDelays = { p50: 0, p99: 0, max: 0 };

/** It looks 20 times a second, which costs an idle process nothing to speak of. */
const RESOLUTION_MILLISECONDS = 50;
const NANOSECONDS = 1e9;

function nodeMeasure(): DelayMeasure {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MILLISECONDS });
  histogram.enable();
  // Node counts the time between two looks, of which one is the resolution itself.
  const seconds = (nanoseconds: number): number =>
    Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION_MILLISECONDS / 1_000);
  return {
    read: () =>
      histogram.count === 0
        ? NONE
        : {
            p50: seconds(histogram.percentile(50)),
            p99: seconds(histogram.percentile(99)),
            max: seconds(histogram.max),
          },
    reset: () => histogram.reset(),
    stop: () => void histogram.disable(),
  };
}
