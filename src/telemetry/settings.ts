import { SettingsReader } from './settings-reader.ts';
import type { SamplingSettings } from './sampling.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where one signal goes. */
export interface ExporterSettings {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMilliseconds: number;
  readonly compression: 'none' | 'gzip';
  /** Paths of PEM files: roots for the collector's certificate, and ours. */
  readonly certificateFile: string | undefined;
  readonly clientCertificateFile: string | undefined;
  readonly clientKeyFile: string | undefined;
}

/** What the standard OTEL_* variables say. No exporter: nothing of that signal leaves the process. */
export interface TelemetrySettings {
  readonly traces: ExporterSettings | undefined;
  readonly metrics: ExporterSettings | undefined;
  readonly sampling: SamplingSettings;
  /** OTEL_RESOURCE_ATTRIBUTES, with OTEL_SERVICE_NAME as `service.name`. */
  readonly resource: Readonly<Record<string, string>>;
  readonly temporality: 'cumulative' | 'delta';
  readonly metricIntervalMilliseconds: number;
  readonly metricTimeoutMilliseconds: number;
  readonly batch: {
    readonly delayMilliseconds: number;
    readonly timeoutMilliseconds: number;
    readonly queueSize: number;
    readonly batchSize: number;
  };
}

/** Mistakes in OTEL_* variables, all of them. */
export class TelemetrySettingsError extends Error {
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(`telemetry is misconfigured: ${mistakes.join('; ')}`);
    this.name = 'TelemetrySettingsError';
    this.mistakes = mistakes;
  }
}

/**
 * Reads the variables of the OpenTelemetry specification ("Environment variable specification", "OTLP exporter
 * configuration") that Sallyport supports. Throws TelemetrySettingsError with all mistakes together.
 */
export function parseSettings(environment: Environment): TelemetrySettings {
  const reader = new SettingsReader(environment);
  const disabled = reader.boolean('OTEL_SDK_DISABLED');
  const settings = {
    traces: exporter(reader, 'TRACES', disabled),
    metrics: exporter(reader, 'METRICS', disabled),
    sampling: sampling(reader),
    resource: resource(reader),
    temporality: reader.choice(
      'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE',
      ['cumulative', 'delta'],
      'cumulative',
    ),
    ...intervals(reader),
    batch: batch(reader),
  };
  if (reader.mistakes.length > 0) throw new TelemetrySettingsError(reader.mistakes);
  return settings;
}

type Signal = 'TRACES' | 'METRICS';

function exporter(reader: SettingsReader, signal: Signal, disabled: boolean): ExporterSettings | undefined {
  const name = `OTEL_${signal}_EXPORTER`;
  const known = signal === 'TRACES' ? ['otlp', 'none'] : ['otlp', 'prometheus', 'none'];
  const wanted = reader.list(name, known);
  const own = reader.text(`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`);
  const common = reader.text('OTEL_EXPORTER_OTLP_ENDPOINT');
  const asked = wanted.length === 0 ? own !== undefined || common !== undefined : wanted.includes('otlp');
  if (disabled || !asked) return undefined;

  // A name of the signal wins over the common one; only the common endpoint gets the signal's path appended.
  const specific = (suffix: string): string =>
    reader.text(`OTEL_EXPORTER_OTLP_${signal}_${suffix}`) === undefined
      ? `OTEL_EXPORTER_OTLP_${suffix}`
      : `OTEL_EXPORTER_OTLP_${signal}_${suffix}`;
  const path = `v1/${signal.toLowerCase()}`;
  protocol(reader, specific('PROTOCOL'));
  return {
    url:
      own === undefined
        ? reader.url('OTEL_EXPORTER_OTLP_ENDPOINT', DEFAULT_ENDPOINT, path)
        : reader.url(`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`, DEFAULT_ENDPOINT, undefined),
    headers: {
      ...reader.pairs('OTEL_EXPORTER_OTLP_HEADERS'),
      ...reader.pairs(`OTEL_EXPORTER_OTLP_${signal}_HEADERS`),
    },
    timeoutMilliseconds: reader.integer(specific('TIMEOUT'), 10_000),
    compression: reader.choice(specific('COMPRESSION'), ['none', 'gzip'], 'none'),
    certificateFile: reader.text(specific('CERTIFICATE')),
    clientCertificateFile: reader.text(specific('CLIENT_CERTIFICATE')),
    clientKeyFile: reader.text(specific('CLIENT_KEY')),
  };
}

function protocol(reader: SettingsReader, name: string): void {
  const value = reader.text(name) ?? 'http/protobuf';
  if (value === 'http/protobuf') return;
  reader.mistake(
    `${name}=${value} is not supported: Sallyport exports by http/protobuf only (collectors listen for it on port 4318, path /v1/traces and /v1/metrics)`,
  );
}

function sampling(reader: SettingsReader): SamplingSettings {
  const named = reader.choice('OTEL_TRACES_SAMPLER', SAMPLERS, 'parentbased_always_on');
  // A handshake's only parent is its other side, which decides by the same rule from the same trace id.
  const sampler = named.replace('parentbased_', '') as SamplingSettings['sampler'];
  if (sampler !== 'traceidratio') return { sampler };
  return { sampler, ratio: reader.ratio('OTEL_TRACES_SAMPLER_ARG', 1) };
}

function resource(reader: SettingsReader): Record<string, string> {
  const name = reader.text('OTEL_SERVICE_NAME');
  return {
    ...reader.pairs('OTEL_RESOURCE_ATTRIBUTES'),
    ...(name === undefined ? {} : { 'service.name': name }),
  };
}

function intervals(
  reader: SettingsReader,
): Pick<TelemetrySettings, 'metricIntervalMilliseconds' | 'metricTimeoutMilliseconds'> {
  const interval = reader.integer('OTEL_METRIC_EXPORT_INTERVAL', 60_000);
  // The SDK demands that a collection ends before the next begins.
  const timeout = Math.min(reader.integer('OTEL_METRIC_EXPORT_TIMEOUT', 30_000), interval);
  return { metricIntervalMilliseconds: interval, metricTimeoutMilliseconds: timeout };
}

function batch(reader: SettingsReader): TelemetrySettings['batch'] {
  const queueSize = reader.integer('OTEL_BSP_MAX_QUEUE_SIZE', 2048);
  const batchSize = reader.integer('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', Math.min(512, queueSize));
  if (batchSize > queueSize) {
    reader.mistake(
      `OTEL_BSP_MAX_EXPORT_BATCH_SIZE=${batchSize} is more than OTEL_BSP_MAX_QUEUE_SIZE (${queueSize}): raise the queue or lower the batch`,
    );
  }
  return {
    delayMilliseconds: reader.integer('OTEL_BSP_SCHEDULE_DELAY', 5_000),
    timeoutMilliseconds: reader.integer('OTEL_BSP_EXPORT_TIMEOUT', 30_000),
    queueSize,
    batchSize,
  };
}

const DEFAULT_ENDPOINT = 'http://localhost:4318';

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;
