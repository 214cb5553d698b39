import { describe, expect, test } from 'vitest';
import { type Environment, parseSettings, TelemetrySettingsError } from './settings.ts';

function mistakes(environment: Environment): readonly string[] {
  try {
    parseSettings(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(TelemetrySettingsError);
    return (error as TelemetrySettingsError).mistakes;
  }
  return [];
}

describe('where telemetry goes', () => {
  test('without an endpoint nothing leaves the process', () => {
    expect(parseSettings({})).toMatchObject({ traces: undefined, metrics: undefined });
    expect(parseSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: ' ' })).toMatchObject({ traces: undefined });
  });

  test('the common endpoint gets the path of each signal appended', () => {
    const { traces, metrics } = parseSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/otlp/' });
    expect(traces?.url).toBe('http://collector:4318/otlp/v1/traces');
    expect(metrics?.url).toBe('http://collector:4318/otlp/v1/metrics');
  });

  test("a signal's own endpoint is used as it is and wins; alone it concerns only that signal", () => {
    const own = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces.example/ingest' };
    expect(parseSettings(own)).toMatchObject({
      traces: { url: 'https://traces.example/ingest' },
      metrics: undefined,
    });
    const both = parseSettings({ ...own, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' });
    expect(both).toMatchObject({ traces: { url: 'https://traces.example/ingest' } });
    expect(both.metrics?.url).toBe('http://collector:4318/v1/metrics');
  });

  test('none and OTEL_SDK_DISABLED switch off, otlp alone means the default endpoint', () => {
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
    expect(parseSettings({ ...endpoint, OTEL_TRACES_EXPORTER: 'none' }).traces).toBeUndefined();
    expect(parseSettings({ ...endpoint, OTEL_METRICS_EXPORTER: 'prometheus' }).metrics).toBeUndefined();
    expect(parseSettings({ ...endpoint, OTEL_SDK_DISABLED: 'TRUE' })).toMatchObject({ traces: undefined });
    expect(parseSettings({ OTEL_TRACES_EXPORTER: 'otlp' })).toMatchObject({
      traces: { url: 'http://localhost:4318/v1/traces' },
      metrics: undefined,
    });
  });

  test('headers of the signal are laid over the common ones, decoded', () => {
    const { traces } = parseSettings({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20YQ==, tenant=a',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'tenant=b',
    });
    expect(traces?.headers).toEqual({ authorization: 'Basic YQ==', tenant: 'b' });
  });

  test('resource attributes, the service name on top', () => {
    const environment = {
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=a,team=blue%2Cgreen',
      OTEL_SERVICE_NAME: 'shop',
    };
    expect(parseSettings(environment).resource).toEqual({ 'service.name': 'shop', team: 'blue,green' });
  });
});

describe('mistakes', () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

  test.each(['grpc', 'http/json'])('protocol %s is refused with what is supported', (protocol) => {
    const found = mistakes({ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: protocol });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`OTEL_EXPORTER_OTLP_PROTOCOL=${protocol}`);
    expect(found[0]).toContain('http/protobuf');
  });

  test('a protocol of a signal that is switched off is nobody’s business', () => {
    const traces = { OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc', OTEL_TRACES_EXPORTER: 'none' };
    expect(mistakes({ ...endpoint, ...traces })).toEqual([]);
  });

  test('all are reported together', () => {
    const found = mistakes({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_HEADERS: 'a=1,broken',
      OTEL_EXPORTER_OTLP_TIMEOUT: '10s',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'zstd',
      OTEL_TRACES_SAMPLER: 'jaeger_remote',
      OTEL_METRICS_EXPORTER: 'otlp,console',
      OTEL_SDK_DISABLED: 'yes',
      OTEL_BSP_MAX_QUEUE_SIZE: '100',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '200',
    });
    for (const name of [
      'ENDPOINT',
      'PROTOCOL',
      'HEADERS',
      'TIMEOUT',
      'COMPRESSION',
      'SAMPLER',
      'METRICS_EXPORTER',
    ]) {
      expect(found.filter((text) => text.includes(name))).toHaveLength(1);
    }
    expect(found).toHaveLength(9);
  });

  test('never repeat a value that may be a secret', () => {
    const found = mistakes({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'ftp://user:hunter2@collector',
      OTEL_EXPORTER_OTLP_HEADERS: 'hunter2%ZZ=,x=%ZZhunter2',
    });
    expect(found.length).toBeGreaterThan(0);
    expect(found.join()).not.toContain('hunter2');
  });

  test.each(['1.5', '-1', 'half', ''])('a ratio of %j is refused or unset', (ratio) => {
    const environment = { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: ratio };
    if (ratio === '')
      expect(parseSettings(environment).sampling).toEqual({ sampler: 'traceidratio', ratio: 1 });
    else expect(mistakes(environment)).toHaveLength(1);
  });
});
