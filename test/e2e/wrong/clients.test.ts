import { afterAll, beforeAll, expect, test } from 'vitest';
import { Application } from '../../support/application.ts';
import { sumOf } from '../../support/metrics.ts';
import { allow, Mesh } from '../../support/mesh.ts';
import { believed } from './certificates.ts';
import { WRONG_CLIENTS } from './clients.ts';
import { reasonOf } from './reasons.ts';
import { bePatient, eventually } from '../../support/patience.ts';

bePatient();

let mesh: Mesh;
const application = await Application.tcp((socket) => socket.pipe(socket));

beforeAll(async () => {
  mesh = await Mesh.start({
    services: {
      orders: { application },
      impatient: { application, limits: { handshakeTimeoutMilliseconds: 1_000 } },
    },
    policies: { 'orders.yaml': allow('orders', ['web']), 'impatient.yaml': allow('impatient', ['web']) },
    alsoTrust: [believed.root.der],
  });
});

afterAll(async () => {
  await mesh.close();
  await application.close();
});

test.for(WRONG_CLIENTS)('$wrong: $reason', async ({ reason, meets, handshake, attack }) => {
  const service = mesh.service(meets ?? 'orders');
  const inService = { service: service.name, reason };
  const before = await service.metrics();
  const lines = service.lines('connection').length;
  const records = mesh.handshakes(service.name).length;

  await attack(service.inbound);

  // In the log: one line, with what to do.
  await eventually(() => service.lines('connection')).toHaveLength(lines + 1);
  const line = service.lines('connection').at(-1);
  const { alert, say, next } = reasonOf(reason);
  expect(line).toMatchObject({ level: 'warn', direction: 'inbound', reason, say, next, receivedBytes: 0 });
  // In the metrics.
  const after = await service.metrics();
  const counted = (metric: string): number =>
    sumOf(after, metric, inService) - sumOf(before, metric, inService);
  expect(counted('sallyport_connections_closed_total')).toBe(1);
  expect(counted('sallyport_tls_handshakes_total')).toBe(handshake === 'none' ? 0 : 1);
  // In the span, under the same trace id as in the log.
  const told = mesh.handshakes(service.name).slice(records);
  expect(told).toHaveLength(handshake === 'none' ? 0 : 1);
  for (const record of told) {
    expect(record.reason).toBe(reason);
    expect(record.result).not.toBe('ok');
    expect(record.alert?.direction === 'sent' ? record.alert.name : undefined).toBe(alert);
    const span = mesh.spans.handshakes(service.name).at(-1);
    expect(span?.attributes).toMatchObject({ 'error.type': reason, 'sallyport.reason.say': say });
    expect(span?.spanContext().traceId).toBe(record.traceId);
    if (line?.traceId !== undefined) expect(line.traceId).toBe(record.traceId);
  }
  // And nothing else: no byte came to the application, which was not even called.
  expect(application.connections).toBe(0);
});
