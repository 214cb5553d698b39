import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  MetricReader,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { freshGauges } from './temporality.ts';

/** Collects on demand. It has no HTTP server of its own: the sidecar's admin serves the text. */
export class PrometheusReader extends MetricReader {
  constructor() {
    super({ aggregationTemporalitySelector: freshGauges(AggregationTemporality.CUMULATIVE) });
  }

  readonly #serializer = new PrometheusSerializer(undefined, false, undefined, true, true);

  /** Prometheus text format 0.0.4. With `service`, only that service's series and those of the process. */
  async text(service: string | undefined): Promise<string> {
    const { resourceMetrics } = await this.collect();
    return this.#serializer.serialize(withPrometheusNames(resourceMetrics, service));
  }

  protected override async onForceFlush(): Promise<void> {}

  protected override async onShutdown(): Promise<void> {}
}

/**
 * The serializer takes over names as they are. The OpenTelemetry specification ("Prometheus and OpenMetrics
 * compatibility", metric metadata) wants the unit as a suffix, in Prometheus' words, and annotations in braces dropped.
 */
function withPrometheusNames(collected: ResourceMetrics, service: string | undefined): ResourceMetrics {
  const scopeMetrics = collected.scopeMetrics.map(({ scope, metrics }) => ({
    scope,
    metrics: metrics
      .map((metric) => only(renamed(metric), service))
      .filter(({ dataPoints }) => dataPoints.length > 0),
  }));
  return { resource: collected.resource, scopeMetrics };
}

function renamed<M extends MetricData>(metric: M): M {
  const { descriptor } = metric;
  const unit = UNITS.get(descriptor.unit) ?? '';
  const words = descriptor.name.split(/[._]/);
  const name = unit === '' || words.includes(unit) ? descriptor.name : `${descriptor.name}_${unit}`;
  // OpenMetrics allows a UNIT line only for a name that ends with the unit; a counter's ends with _total.
  const counter = metric.dataPointType === DataPointType.SUM && metric.isMonotonic;
  return {
    ...metric,
    descriptor: { ...descriptor, name, unit: !counter && name.endsWith(unit) ? unit : '' },
  };
}

function only<M extends MetricData>(metric: M, service: string | undefined): M {
  if (service === undefined) return metric;
  const dataPoints = metric.dataPoints.filter(({ attributes }) => {
    const { [SERVICE_LABEL]: of } = attributes;
    return of === undefined || of === service;
  });
  return { ...metric, dataPoints };
}

/** UCUM to Prometheus base units, of those that this project's metrics have. */
const UNITS: ReadonlyMap<string, string> = new Map([
  ['s', 'seconds'],
  ['By', 'bytes'],
]);

const SERVICE_LABEL = 'service';
