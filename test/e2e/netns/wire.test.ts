import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { needs } from '../../support/child.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { type Stream, streamsOf, whyNotTls13 } from '../../support/wire.ts';
import { NamespaceMesh, openTo } from './mesh.ts';
import { STORY_MILLISECONDS } from './story.ts';

const CANARY = 'canary-7f3a19c2';
/** The verification port, which answers in plaintext: readiness and nothing else. */
const CONTROL_PORTS = new Set([15_020, 15_021]);

/** Calls that carry the canary both ways, with everything that passed the wire meanwhile. */
async function recorded(mesh: NamespaceMesh, policy?: string): Promise<readonly Stream[]> {
  const [web, orders] = await Promise.all(
    ['web', 'orders'].map((name) => mesh.start(name, policy === undefined ? {} : { policy })),
  );
  if (web === undefined || orders === undefined) throw new Error('no pods');
  const server = orders.machine.start(process.execPath, [
    'test/e2e/netns/programs/speak.ts',
    '::',
    '80',
    CANARY,
  ]);
  await server.says(/listening/);
  const file = join(temporaryFolder('wire'), 'wire.pcap');
  const sniffer = mesh.network.router.start('tcpdump', [
    '-Z',
    'root',
    '--immediate-mode',
    '-U',
    '-i',
    'wire',
    '-w',
    file,
    'tcp',
  ]);
  await sniffer.says(/listening on/);
  for (const host of [orders.ipv4, orders.ipv6]) {
    const client = web.machine.start(process.execPath, [
      'test/e2e/netns/programs/exchange.ts',
      host,
      '80',
      CANARY,
    ]);
    // Once as the greeting, once sent back.
    await client.says(new RegExp(`${CANARY}[^]*${CANARY}`));
  }
  sniffer.signal('SIGINT');
  await sniffer.ended();
  return streamsOf(file).filter(
    ({ fromPort, toPort }) => !CONTROL_PORTS.has(fromPort) && !CONTROL_PORTS.has(toPort),
  );
}

vi.setConfig({ testTimeout: STORY_MILLISECONDS });

test('all that passes between pods is TLS 1.3, and nothing of what it says can be read', async (context) => {
  needs(context, 'tcpdump');
  const streams = await recorded(await NamespaceMesh.create(context, ['web', 'orders']));
  // Both directions of a connection by IPv4 and of one by IPv6.
  expect(streams).toHaveLength(4);
  for (const stream of streams) {
    expect(whyNotTls13(stream), stream.name).toBeUndefined();
    expect(stream.bytes.includes(CANARY), stream.name).toBe(false);
    expect(stream.toPort === 80 || stream.fromPort === 80, stream.name).toBe(true);
  }
});

test('where mutual TLS is Disabled the same detector sees every word', async (context) => {
  needs(context, 'tcpdump');
  const mesh = await NamespaceMesh.create(context, ['web', 'orders']);
  mesh.unmeshed('orders');
  const streams = await recorded(mesh, openTo('Disabled'));
  expect(streams).toHaveLength(4);
  for (const stream of streams) {
    expect(whyNotTls13(stream), stream.name).toContain('begins with');
    expect(stream.bytes.includes(CANARY), stream.name).toBe(true);
  }
});
