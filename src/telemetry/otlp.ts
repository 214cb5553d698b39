import { readFileSync } from 'node:fs';
import type { MeterProvider } from '@opentelemetry/api';
import type { ExportResult } from '@opentelemetry/core';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  AggregationTemporality,
  type InstrumentType,
  type MetricReader,
  PeriodicExportingMetricReader,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, type ReadableSpan, type SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Log } from '#runtime';
import { ExportHealth } from './export-health.ts';
import { type ExporterSettings, type TelemetrySettings, TelemetrySettingsError } from './settings.ts';
import { freshGauges } from './temporality.ts';

/*
 * The exporters' constructors read OTEL_EXPORTER_OTLP_* of process.env by themselves and use what their options leave
 * open. All options are given here, so only headers remain: theirs are merged beneath ours (otlp-exporter-base 0.301,
 * otlp-http-configuration: mergeHeaders).
 */

/** Exports spans in batches, in the background, from a bounded queue. Undefined: spans stay in the process. */
export function otlpSpans(
  settings: TelemetrySettings,
  meterProvider: MeterProvider,
  log: Log,
): { readonly processor: SpanProcessor; readonly health: ExportHealth } | undefined {
  if (settings.traces === undefined) return undefined;
  const health = new ExportHealth('traces', settings.traces.url, log);
  const exporter = new SpanExporter(options(settings.traces), health);
  const processor = new BatchSpanProcessor({
    exporter,
    scheduledDelayMillis: settings.batch.delayMilliseconds,
    exportTimeoutMillis: settings.batch.timeoutMilliseconds,
    maxQueueSize: settings.batch.queueSize,
    maxExportBatchSize: settings.batch.batchSize,
    // Counts what the queue drops: otel.sdk.processor.span.processed with error.type=queue_full.
    selfObsMeterProvider: meterProvider,
  });
  return { processor, health };
}

export function otlpMetrics(
  settings: TelemetrySettings,
  log: Log,
): { readonly reader: MetricReader; readonly health: ExportHealth } | undefined {
  if (settings.metrics === undefined) return undefined;
  const health = new ExportHealth('metrics', settings.metrics.url, log);
  const temporality =
    settings.temporality === 'delta' ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE;
  const exporter = new MetricExporter(options(settings.metrics), temporality, health);
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: settings.metricIntervalMilliseconds,
    exportTimeoutMillis: settings.metricTimeoutMilliseconds,
  });
  return { reader, health };
}

class SpanExporter extends OTLPTraceExporter {
  readonly #health: ExportHealth;

  constructor(config: Options, health: ExportHealth) {
    super(config);
    this.#health = health;
  }

  override export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#health.follow(spans.length, done, (settle) => super.export(spans, settle));
  }
}

class MetricExporter extends OTLPMetricExporter {
  readonly #health: ExportHealth;
  readonly #temporality: (type: InstrumentType) => AggregationTemporality;

  constructor(config: Options, temporality: AggregationTemporality, health: ExportHealth) {
    super({ ...config, temporalityPreference: temporality });
    this.#temporality = freshGauges(temporality);
    this.#health = health;
  }

  override selectAggregationTemporality(type: InstrumentType): AggregationTemporality {
    return this.#temporality(type);
  }

  override export(metrics: ResourceMetrics, done: (result: ExportResult) => void): void {
    this.#health.follow(countPoints(metrics), done, (settle) => super.export(metrics, settle));
  }
}

type Options = NonNullable<ConstructorParameters<typeof OTLPTraceExporter>[0]>;

function options(settings: ExporterSettings): Options {
  const tls = {
    ...file('ca', settings.certificateFile),
    ...file('cert', settings.clientCertificateFile),
    ...file('key', settings.clientKeyFile),
  };
  return {
    url: settings.url,
    headers: settings.headers,
    timeoutMillis: settings.timeoutMilliseconds,
    // The enum's values are these two words; it belongs to otlp-exporter-base, which isn't among our dependencies.
    // oxlint-disable-next-line typescript/no-unsafe-enum-assignment
    compression: settings.compression as NonNullable<Options['compression']>,
    httpAgentOptions: { keepAlive: true, ...tls },
  };
}

/** The SDK would warn nobody and go on without; an operator who names a file wants it used. */
function file<Name extends string>(name: Name, path: string | undefined): Partial<Record<Name, Buffer>> {
  if (path === undefined) return {};
  try {
    return { [name]: readFileSync(path) } as Partial<Record<Name, Buffer>>;
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new TelemetrySettingsError([`OTEL_EXPORTER_OTLP_*: cannot read ${path}: ${cause}`]);
  }
}

function countPoints({ scopeMetrics }: ResourceMetrics): number {
  let points = 0;
  for (const { metrics } of scopeMetrics) for (const { dataPoints } of metrics) points += dataPoints.length;
  return points;
}
