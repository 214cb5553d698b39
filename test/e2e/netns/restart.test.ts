import { setTimeout as delay } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import type { Child } from '../../support/child.ts';
import { NamespaceMesh } from './mesh.ts';
import { STORY_MILLISECONDS } from './story.ts';

vi.setConfig({ testTimeout: STORY_MILLISECONDS });

const SPEAK = 'test/e2e/netns/programs/speak.ts';

test.for(['web', 'orders'] as const)(
  'the sidecar of %s is killed and started again under load',
  async (victim, context) => {
    const mesh = await NamespaceMesh.create(context, ['web', 'orders']);
    const [web, orders] = await Promise.all([mesh.start('web'), mesh.start('orders')]);
    await orders.machine.start(process.execPath, [SPEAK, '::', '80']).says(/listening/);
    const load = web.machine.start(process.execPath, ['test/e2e/netns/programs/load.ts', orders.ipv4, '80']);
    const held = web.machine.start(process.execPath, [
      'test/e2e/netns/programs/exchange.ts',
      orders.ipv4,
      '80',
      'held',
    ]);
    await Promise.all([load.says(/(right \d+\n){20}/), held.says(/held/)]);

    const pod = victim === 'web' ? web : orders;
    pod.sidecar.signal('SIGKILL');
    await pod.sidecar.ended();
    // Who was connected hears of it at once, whichever side died.
    await held.says(/ECONNRESET/);
    await load.says(/ECONN(RESET|REFUSED) \d+\n/);
    await delay(300);
    const down = outcomes(load).length;
    await pod.startSidecar();
    await load.says(new RegExp(`(.* \\d+\\n){${down}}[^]*(right \\d+\\n){20}`), 20_000);

    const all = outcomes(load);
    const kinds = new Set(all.map(({ outcome }) => outcome));
    // Every call got its own answer or an error at once: none was cut short and looked whole, none hung.
    expect([...kinds].toSorted()).toEqual(expect.arrayContaining(['right']));
    expect([...kinds].filter((kind) => !['right', 'ECONNRESET', 'ECONNREFUSED'].includes(kind))).toEqual([]);
    expect(
      Math.max(...all.filter(({ outcome }) => outcome !== 'right').map(({ milliseconds }) => milliseconds)),
    ).toBeLessThan(2_000);
  },
);

test('a sidecar that is told to stop lets what is under way end by itself, then ends with 0', async (context) => {
  const mesh = await NamespaceMesh.create(context, ['web', 'orders']);
  const [web, orders] = await Promise.all([mesh.start('web'), mesh.start('orders')]);
  const server = orders.machine.start(process.execPath, [SPEAK, '::', '80', 'hello']);
  await server.says(/listening/);
  const client = web.machine.start(process.execPath, ['test/e2e/netns/programs/pipe.ts', orders.ipv4, '80']);
  client.write('one\n');
  await client.says(/hello\none\n/);
  orders.sidecar.signal('SIGTERM');
  await orders.sidecar.says(/"draining"/);
  const ready = mesh.outside.run('curl', ['-s', '-w', '%{http_code}', `http://${orders.ipv4}:15020/ready`]);
  expect(ready.stdout).toMatch(/"code":"draining".*\n503$/s);
  await delay(1_500);
  client.write('two\n');
  await client.says(/hello\none\ntwo\n/);
  client.endInput();
  expect(await client.ended()).toMatchObject({ code: 0 });
  expect(await orders.sidecar.ended()).toMatchObject({ code: 0 });
  expect(await orders.connections('inbound', 1)).toMatchObject([{ level: 'info' }]);
});

function outcomes(load: Child): { outcome: string; milliseconds: number }[] {
  return load.output
    .trim()
    .split('\n')
    .map((line) => {
      const [outcome = '', milliseconds = ''] = line.split(' ');
      return { outcome, milliseconds: Number(milliseconds) };
    });
}
