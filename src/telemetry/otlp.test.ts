import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { type Fields, jsonLog, systemClock } from '#runtime';
import { TelemetrySettingsError } from './settings.ts';
import { Telemetry } from './telemetry.ts';
import { type Collector, startCollector } from './testing/collector.ts';
import { clientUntilFinished, failed, serverUntilFinished, type World, world } from './testing/handshakes.ts';
import { decodeProtobuf, messagesAt } from './testing/protobuf.ts';

const open: Collector[] = [];

async function collector(port?: number): Promise<Collector> {
  const started = await startCollector(port);
  open.push(started);
  return started;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

/** Exports at once instead of after five seconds. */
const quick = {
  OTEL_BSP_SCHEDULE_DELAY: '1',
  OTEL_METRIC_EXPORT_INTERVAL: '20',
  OTEL_EXPORTER_OTLP_TIMEOUT: '200',
};

async function handshake(run: World, seed = 'a'): Promise<void> {
  await run.client().play(...clientUntilFinished(seed), { type: 'confirmed' });
  const server = run.server();
  await server.play(...serverUntilFinished(seed));
  server.recorder.permitted('default/p');
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('spans and metrics arrive as protobuf at the standard paths, with the headers that were asked for', async () => {
  const target = await collector();
  const run = world({
    environment: {
      ...quick,
      OTEL_EXPORTER_OTLP_ENDPOINT: target.endpoint,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=a%20b',
    },
  });
  await handshake(run);
  const [traces, metrics] = await Promise.all([target.at('/v1/traces'), target.at('/v1/metrics')]);
  await run.telemetry.shutdown();
  for (const { method, headers, body } of [traces, metrics]) {
    expect(method).toBe('POST');
    expect(headers['content-type']).toBe('application/x-protobuf');
    expect(headers['x-tenant']).toBe('a b');
    expect(body.length).toBeGreaterThan(100);
  }

  // opentelemetry.proto.trace.v1: TracesData.resource_spans = 1, ResourceSpans.scope_spans = 2, ScopeSpans.spans = 2.
  const bodies = target.received.filter(({ path }) => path === '/v1/traces').map(({ body }) => body);
  const spans = bodies.flatMap((body) => messagesAt(body, 1, 2, 2)).map(decodeProtobuf);
  const hex = (field: unknown): string => Buffer.from(field as Uint8Array).toString('hex');
  // Span: trace_id = 1, span_id = 2, parent_span_id = 4, name = 5, kind = 6 (SERVER = 2, CLIENT = 3), events = 11.
  const sides = spans.filter(
    (span) => Buffer.from(span.get(5)?.[0] as Uint8Array).toString() === 'tls.handshake',
  );
  const client = sides.find((span) => span.get(6)?.[0] === 3n);
  const server = sides.find((span) => span.get(6)?.[0] === 2n);
  expect(hex(client?.get(1)?.[0])).toBe(run.telemetry.recent()[0]?.traceId);
  expect(hex(server?.get(1)?.[0])).toBe(run.telemetry.recent()[0]?.traceId);
  expect(hex(server?.get(4)?.[0])).toBe(hex(client?.get(2)?.[0]));
  expect(client?.get(11)?.length).toBe(12);

  // MetricsData.resource_metrics = 1, ResourceMetrics.scope_metrics = 2, ScopeMetrics.metrics = 2, Metric.name = 1.
  // The first request may have left before the handshake was counted; the one at shutdown has it.
  const sent = target.received.filter(({ path }) => path === '/v1/metrics').map(({ body }) => body);
  const names = sent
    .flatMap((body) => messagesAt(body, 1, 2, 2, 1))
    .map((name) => Buffer.from(name).toString());
  expect(names).toContain('sallyport.tls.handshake.duration');
});

test('each sidecar of the process is a resource of its own', async () => {
  const target = await collector();
  const environment = {
    ...quick,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${target.endpoint}/v1/traces`,
    OTEL_RESOURCE_ATTRIBUTES: 'team=blue',
  };
  const run = world({ environment });
  await handshake(run);
  await run.telemetry.shutdown();
  // Resource = 1 of ResourceSpans, attributes = 1: KeyValue { key = 1, value = 2 { string_value = 1 } }.
  const attributes = target.received
    .flatMap(({ body }) => messagesAt(body, 1, 1, 1))
    .map((pair) =>
      messagesAt(pair, 1)
        .concat(messagesAt(pair, 2, 1))
        .map((text) => Buffer.from(text).toString()),
    );
  expect(attributes).toContainEqual(['service.name', 'web']);
  expect(attributes).toContainEqual(['service.name', 'orders']);
  expect(attributes).toContainEqual(['team', 'blue']);
  expect(target.received.map(({ path }) => path)).not.toContain('/v1/metrics');
});

test('gzip is used when asked for', async () => {
  const target = await collector();
  const environment = {
    ...quick,
    OTEL_EXPORTER_OTLP_ENDPOINT: target.endpoint,
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
  };
  const run = world({ environment });
  await handshake(run);
  const { headers, body } = await target.at('/v1/traces');
  await run.telemetry.shutdown();
  expect(headers['content-encoding']).toBe('gzip');
  expect(messagesAt(gunzipSync(body), 1, 2, 2).length).toBeGreaterThan(0);
});

describe('a collector that is down', () => {
  const lines: Fields[] = [];
  const log = jsonLog('info', (line) => lines.push(JSON.parse(line) as Fields));

  test('is told once, and once again when it is back; handshakes go on and are counted', async () => {
    lines.length = 0;
    const gone = await startCollector();
    await gone.close();
    const environment = {
      ...quick,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://user:hunter2@127.0.0.1:${gone.port}`,
      OTEL_METRICS_EXPORTER: 'none',
    };
    const run = world({ environment, log });
    for (const seed of ['a', 'b', 'c']) {
      await handshake(run, seed);
      const lost = async () =>
        /sallyport_telemetry_lost_total\{signal="traces"\} (\d+)/.exec(
          await run.telemetry.metricsText(),
        )?.[1];
      const before = Number((await lost()) ?? 0);
      while (Number((await lost()) ?? 0) === before) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    expect(lines[0]).toMatchObject({ signal: 'traces', endpoint: `http://127.0.0.1:${gone.port}/v1/traces` });
    expect(JSON.stringify(lines)).not.toContain('hunter2');

    const back = await collector(gone.port);
    await handshake(run, 'd');
    await back.at('/v1/traces');
    await until(() => lines.length === 2);
    expect(lines[1]).toMatchObject({ level: 'info', message: 'telemetry export works again' });
    expect(run.telemetry.recent()).toHaveLength(8);
    await run.telemetry.shutdown();
  });

  test('does not make the queue grow: what is beyond it is dropped and counted', async () => {
    const gone = await startCollector();
    await gone.close();
    const environment = {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: gone.endpoint,
      OTEL_BSP_SCHEDULE_DELAY: '60000',
      OTEL_BSP_MAX_QUEUE_SIZE: '10',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '10',
      OTEL_EXPORTER_OTLP_TIMEOUT: '100',
    };
    const run = world({ environment });
    for (let seed = 0; seed < 50; seed += 1) await run.client().play(failed('transport-reset'));
    const text = await run.telemetry.metricsText();
    const dropped = /otel_sdk_processor_span_processed_total\{.*error_type="queue_full".*\} (\d+)/.exec(
      text,
    )?.[1];
    // Ten are being sent, ten wait.
    expect(Number(dropped)).toBe(30);
    await run.telemetry.shutdown();
  });

  test('holds up a shutdown no longer than allowed', async () => {
    lines.length = 0;
    const gone = await startCollector();
    await gone.close();
    const telemetry = Telemetry.create({
      clock: systemClock,
      log,
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: gone.endpoint, OTEL_EXPORTER_OTLP_TIMEOUT: '1500' },
      shutdownMilliseconds: 50,
    });
    const recorder = telemetry.startHandshake({
      role: 'client',
      service: 'web',
      local: 'spiffe://a/b',
      peerAddress: '::1',
    });
    recorder.end();
    const start = performance.now();
    await telemetry.shutdown();
    expect(performance.now() - start).toBeLessThan(1_000);
    expect(lines).toMatchObject([{ message: 'telemetry was not flushed in time', waitedMs: 50 }]);
    expect(telemetry.shutdown()).toBe(telemetry.shutdown());
  });
});

test('a collector that answers with an error is one that fails', async () => {
  const lines: Fields[] = [];
  const target = await collector();
  target.status = 400;
  const environment = { ...quick, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${target.endpoint}/v1/traces` };
  const run = world({ environment, log: jsonLog('info', (line) => lines.push(JSON.parse(line) as Fields)) });
  await handshake(run);
  await until(() => lines.length > 0);
  expect(lines[0]).toMatchObject({
    level: 'warn',
    message: 'telemetry export fails; traffic is not affected',
  });
  await run.telemetry.shutdown();
});

describe('files', () => {
  test('that cannot be read stop the start, by name', () => {
    const environment = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector:4318',
      OTEL_EXPORTER_OTLP_CERTIFICATE: '/nowhere/ca.pem',
    };
    expect(() => world({ environment })).toThrow(TelemetrySettingsError);
    expect(() => world({ environment })).toThrow(/\/nowhere\/ca\.pem/);
  });

  test('that can be read are used', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'telemetry-'));
    const path = join(folder, 'ca.pem');
    await writeFile(path, 'not a certificate');
    const lines: Fields[] = [];
    const run = world({
      environment: {
        ...quick,
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://127.0.0.1:1/v1/traces',
        OTEL_EXPORTER_OTLP_CERTIFICATE: path,
      },
      log: jsonLog('info', (line) => lines.push(JSON.parse(line) as Fields)),
    });
    await handshake(run);
    await until(() => lines.length > 0);
    await run.telemetry.shutdown();
    await rm(folder, { recursive: true });
    expect(lines[0]).toMatchObject({ level: 'warn', signal: 'traces' });
  });
});
