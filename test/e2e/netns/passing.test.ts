import { expect, test, vi } from 'vitest';
import { needs } from '../../support/child.ts';
import { Network } from '../../support/netns.ts';
import { caller, init, listen } from './inside.ts';
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
