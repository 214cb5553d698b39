import { expect, test, vi } from 'vitest';
import { needs } from '../../support/child.ts';
import { type Machine, Network } from '../../support/netns.ts';
import { caller, FILTERS, init, listen } from './inside.ts';
import { STORY_MILLISECONDS } from './story.ts';

vi.setConfig({ testTimeout: STORY_MILLISECONDS });

const PROGRAMS = 'test/e2e/netns/programs';

test('UDP and ICMP pass untouched', async (context) => {
  needs(context, 'nft');
  const network = await Network.create(context, ['pod', 'outside']);
  const [pod, outside] = [network.machine('pod'), network.machine('outside')];
  const set = init(pod);
  expect(set, set.stderr).toMatchObject({ code: 0 });
  for (const family of ['ipv4', 'ipv6'] as const) {
    const echo = outside.start(process.execPath, [
      `${PROGRAMS}/datagrams.ts`,
      'echo',
      outside[family],
      '5353',
    ]);
    await echo.says(/bound/);
    const ask = pod.start(process.execPath, [`${PROGRAMS}/datagrams.ts`, 'ask', outside[family], '5353']);
    expect((await ask.says(/answer from (.*)/))[1]).toBe(`${outside[family]} 5353`);
    // Nobody is bound there: the ICMP error must find its way back through the rules.
    const refused = pod.start(process.execPath, [`${PROGRAMS}/datagrams.ts`, 'ask', outside[family], '5354']);
    await refused.says(/ECONNREFUSED/);
  }
});

test('segments that belong to no connection are dropped instead of ending one', async (context) => {
  for (const program of ['nft', 'tcpdump']) needs(context, program);
  const network = await Network.create(context, ['pod', 'outside']);
  const [pod, outside] = [network.machine('pod'), network.machine('outside')];
  expect(init(pod)).toMatchObject({ code: 0 });
  await listen(pod, 15_006);
  const call = await caller(outside);
  expect(await call(pod.ipv4, 80)).toBe(`15006 was ${pod.ipv4} 80`);

  const idle = outside.start(process.execPath, [`${PROGRAMS}/hold.ts`, pod.ipv4, '80']);
  const [, port = ''] = await idle.says(/from (\d+)/);
  const sniffer = outside.start('tcpdump', [
    '-n',
    '-l',
    '-i',
    'eth0',
    `tcp[tcpflags] & tcp-rst != 0 and port ${port}`,
  ]);
  await sniffer.says(/listening on/);
  const stray = [`${PROGRAMS}/stray-segment.ts`, outside.ipv4, port, pod.ipv4, '80'];
  expect(outside.run(process.execPath, stray)).toMatchObject({ code: 0 });
  const dropped = pod.run('nft', ['list', 'chain', 'inet', 'sallyport', 'inbound_invalid']).stdout;
  expect(dropped).toMatch(/ct state invalid counter packets [1-4] /);

  // The same without our chain: it reaches port 80, where nobody knows it, and the answer is a reset.
  expect(pod.run('nft', ['flush', 'chain', 'inet', 'sallyport', 'inbound_invalid'])).toMatchObject({
    code: 0,
  });
  expect(sniffer.output).not.toMatch(/Flags \[R/);
  expect(outside.run(process.execPath, stray)).toMatchObject({ code: 0 });
  await sniffer.says(/Flags \[R/);
});

test.for(FILTERS)(
  'with %s, segments of the pod that belong to no connection do not leave',
  async (filter, context) => {
    needs(context, filter);
    const network = await Network.create(context, ['pod', 'outside']);
    const [pod, outside] = [network.machine('pod'), network.machine('outside')];
    expect(init(pod, ['--filter', filter])).toMatchObject({ code: 0 });
    await listen(pod, 15_001, 15_006);
    const held = async (from: Machine, to: string): Promise<string> => {
      const program = from.start(process.execPath, [`${PROGRAMS}/hold.ts`, to, '80']);
      return (await program.says(/from (\d+)/))[1] ?? '';
    };
    const [called, calling] = [await held(outside, pod.ipv4), await held(pod, outside.ipv4)];
    const send = [process.execPath, `${PROGRAMS}/stray-segment.ts`, pod.ipv4];
    // The application's, which would go by the redirect; and the sidecar's answers, whose own port would be seen.
    const application = ['--reuid', '0', ...send, calling, outside.ipv4, '80'];
    const sidecar = [...AS_SIDECAR_WITH_RAW, ...send, '15006', outside.ipv4, called];
    for (const args of [application, sidecar])
      expect(pod.run('setpriv', args).stdout).toMatch(/^refused [1-4]$/m);
    expect(init(pod, ['--remove'])).toMatchObject({ code: 0 });
    for (const args of [application, sidecar]) expect(pod.run('setpriv', args).stdout).toBe('refused 0\n');
  },
);

/** setpriv(1): raw(7) needs CAP_NET_RAW. */
const AS_SIDECAR_WITH_RAW = ['--reuid', '1337', '--inh-caps', '+net_raw', '--ambient-caps', '+net_raw'];

test.for(FILTERS)('with %s, what the pod only forwards is not captured', async (filter, context) => {
  needs(context, filter);
  const network = await Network.create(context, ['outside', 'pod', 'inner']);
  const [outside, pod, inner] = ['outside', 'pod', 'inner'].map((name) => network.machine(name)) as [
    Machine,
    Machine,
    Machine,
  ];
  // As a container inside the pod would be reached: by an address that is none of the pod's own, through it.
  const addresses = { ipv4: '10.99.0.1', ipv6: 'fd99::1' };
  inner.ip([`address add ${addresses.ipv4}/32 dev lo`, `address add ${addresses.ipv6}/128 dev lo nodad`]);
  for (const family of ['ipv4', 'ipv6'] as const) {
    const bits = family === 'ipv4' ? 32 : 128;
    pod.ip([`route add ${addresses[family]}/${bits} via ${inner[family]}`]);
    outside.ip([`route add ${addresses[family]}/${bits} via ${pod[family]}`]);
    inner.ip([`route add ${outside[family]}/${bits} via ${pod[family]}`]);
  }
  pod.run('sh', [
    '-c',
    'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding',
  ]);
  expect(init(pod, ['--filter', filter])).toMatchObject({ code: 0 });
  await Promise.all([listen(pod, 15_001, 15_006), listen(inner, 80)]);
  const call = await caller(outside);
  for (const family of ['ipv4', 'ipv6'] as const) {
    expect(await call(pod[family], 80)).toBe(`15006 was ${pod[family]} 80`);
    expect(await call(addresses[family], 80)).toBe('80 was not-redirected');
  }
});
