import type { Meter } from '@opentelemetry/api';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { PrometheusReader } from '../prometheus.ts';

/** A meter, and what a scrape of it would show. */
export function meterWithReader(): { readonly meter: Meter; readonly read: () => Promise<string> } {
  const reader = new PrometheusReader();
  const provider = new MeterProvider({ readers: [reader] });
  return { meter: provider.getMeter('test'), read: () => reader.text(undefined) };
}
