import { Child } from '../../support/child.ts';
import { buildProgram, programCache, STRIPPED } from './bare/programs.ts';

/** An attribute of OTLP's JSON. */
interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly boolValue?: boolean };
}

interface Resource {
  readonly attributes?: readonly Attribute[];
}

/** One request that reached the collector (opentelemetry/proto/collector, as JSON). */
interface Line {
  readonly resourceSpans?: readonly {
    readonly resource: Resource;
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
  readonly resourceMetrics?: readonly {
    readonly resource: Resource;
    readonly scopeMetrics: readonly { readonly metrics: readonly { readonly name: string }[] }[];
  }[];
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes?: readonly Attribute[];
}

/** A span as it arrived, with what it and its resource say. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | boolean | undefined>>;
  readonly resource: Readonly<Record<string, string | boolean | undefined>>;
}

/** The path of an OpenTelemetry Collector, built from its modules if it isn't there: about 2 minutes on two processors. */
export function collectorProgram(): Promise<string> {
  const source = { name: 'collector', flags: STRIPPED, takes: 'about 2 minutes' };
  return buildProgram(source, programCache(), (line) => console.log(line));
}

/** Takes OTLP over HTTP at an address, and writes each request as a line. */
export function collectorArgs(endpoint: string): string[] {
  const pipeline = { receivers: ['otlp'], exporters: ['lines'] };
  const config = {
    receivers: { otlp: { protocols: { http: { endpoint } } } },
    exporters: { lines: {} },
    service: {
      telemetry: { metrics: { level: 'none' }, logs: { level: 'warn' } },
      pipelines: { traces: pipeline, metrics: pipeline },
    },
  };
  return [`--config=yaml:${JSON.stringify(config)}`];
}

/** A collector on this machine, until the test is over. */
export async function startCollector(port: number): Promise<Child> {
  return new Child(await collectorProgram(), collectorArgs(`127.0.0.1:${port}`));
}

/** The spans of what a collector wrote so far. */
export function spansOf(text: string): CollectedSpan[] {
  return linesOf(text).flatMap(({ resourceSpans = [] }) =>
    resourceSpans.flatMap(({ resource, scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) =>
        spans.map(({ traceId, spanId, parentSpanId, name, attributes }) => ({
          ...{ traceId, spanId, parentSpanId, name },
          attributes: values(attributes),
          resource: values(resource.attributes),
        })),
      ),
    ),
  );
}

/** Who sent metrics, and their names. */
export function metricsOf(
  text: string,
): { readonly resource: CollectedSpan['resource']; readonly names: readonly string[] }[] {
  return linesOf(text).flatMap(({ resourceMetrics = [] }) =>
    resourceMetrics.map(({ resource, scopeMetrics }) => ({
      resource: values(resource.attributes),
      names: scopeMetrics.flatMap(({ metrics }) => metrics.map(({ name }) => name)),
    })),
  );
}

/** The last line may be half written. */
function linesOf(text: string): Line[] {
  return text
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('{"resource'))
    .map((line) => JSON.parse(line) as Line);
}

function values(attributes: readonly Attribute[] = []): CollectedSpan['resource'] {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.boolValue]));
}
