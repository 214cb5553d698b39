import { AggregationTemporality, InstrumentType } from '@opentelemetry/sdk-metrics';

/**
 * `temporality` for what counts, and for gauges only what their callbacks say this time. A gauge has no temporality of
 * its own, but under CUMULATIVE the SDK repeats for ever what was observed once: the end of a certificate that is gone.
 */
export function freshGauges(
  temporality: AggregationTemporality,
): (type: InstrumentType) => AggregationTemporality {
  return (type) => {
    if (type === InstrumentType.OBSERVABLE_GAUGE) return AggregationTemporality.DELTA;
    // What goes up and down is a sum since the start in every preference (OTLP exporter, temporality preference).
    if (type === InstrumentType.OBSERVABLE_UP_DOWN_COUNTER) return AggregationTemporality.CUMULATIVE;
    return temporality;
  };
}
