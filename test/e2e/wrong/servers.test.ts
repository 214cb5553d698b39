import type { Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serviceAccountId } from '#identity';
import type { Destination } from '#sidecar';
import { Application, connectTo } from '../../support/application.ts';
import { sumOf } from '../../support/metrics.ts';
import { Mesh } from '../../support/mesh.ts';
import { believed } from './certificates.ts';
import { reasonOf } from './reasons.ts';
import { heard, WRONG_SERVERS } from './servers.ts';
import { bePatient, eventually } from '../../support/patience.ts';

bePatient();

const SECRET = 'must not leave';

let mesh: Mesh;
const servers = new Map<string, Application>();

beforeAll(async () => {
  const calls: Record<string, () => Destination> = {};
  const identities = [serviceAccountId('mesh.test', 'shop', 'orders')];
  for (const { wrong, serve } of WRONG_SERVERS) {
    const server = await Application.tcp(serve);
    servers.set(wrong, server);
    calls[wrong] = () => ({ kind: 'meshed', address: server, port: 8080, identities });
  }
  mesh = await Mesh.start({
    services: { web: { calls }, hasty: { calls, limits: { handshakeTimeoutMilliseconds: 1_000 } } },
    alsoTrust: [believed.root.der],
  });
});

afterAll(async () => {
  await mesh.close();
  await Promise.all([...servers.values()].map((server) => server.close()));
});

test.for(WRONG_SERVERS)('$wrong: $reason', async ({ wrong, reason, calledBy }) => {
  const service = mesh.service(calledBy ?? 'web');
  const inService = { service: service.name, reason };
  const before = await service.metrics();
  const lines = service.lines('connection').length;
  const records = mesh.handshakes(service.name).length;

  const socket = await connectTo(service.calls(wrong));
  socket.write(SECRET);
  // Not an ordinary end: the application must not take it for an empty answer.
  expect(await ending(socket)).toBe('ECONNRESET');

  await eventually(() => service.lines('connection')).toHaveLength(lines + 1);
  const line = service.lines('connection').at(-1);
  const { alert, say, next } = reasonOf(reason);
  expect(line).toMatchObject({ level: 'warn', direction: 'outbound', reason, say, next, sentBytes: 0 });
  const after = await service.metrics();
  for (const metric of ['sallyport_connections_closed_total', 'sallyport_tls_handshakes_total']) {
    expect(sumOf(after, metric, inService) - sumOf(before, metric, inService)).toBe(1);
  }
  const told = mesh.handshakes(service.name).slice(records);
  expect(told).toHaveLength(1);
  expect(told[0]).toMatchObject({ result: 'failed', reason, traceId: line?.traceId });
  const sent = told[0]?.alert?.direction === 'sent' ? told[0].alert.name : undefined;
  expect(sent).toBe(alert);
  const span = mesh.spans.handshakes(service.name).at(-1);
  expect(span?.attributes).toMatchObject({ 'error.type': reason });
  expect(span?.spanContext().traceId).toBe(told[0]?.traceId);
  expect(heard).toEqual([]);
});

/** How a socket ended: the code of its error, or an ordinary `end`. */
function ending(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on('end', () => resolve('end'));
    socket.resume();
  });
}
