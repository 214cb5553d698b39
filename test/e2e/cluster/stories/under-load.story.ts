import { expect } from 'vitest';
import { eventually } from '../command.ts';
import { applicationContainer, type Namespace } from '../namespace.ts';
import { killSidecar } from '../processes.ts';
import { APPLICATION, clusterAddresses, shopMesh } from '../shop.ts';
import { story } from '../story.ts';

/** The application gives up after 20 s. */
const HUNG_MILLISECONDS = 10_000;
const SIDECAR_RESTARTS = '.status.initContainerStatuses[?(@.name=="sidecar")].restartCount';

interface Outcome {
  /** `200 POD`, or the error's code. */
  readonly what: string;
  readonly milliseconds: number;
}

async function outcomes(namespace: Namespace): Promise<Outcome[]> {
  const log = await namespace.kubectl(['logs', 'client', '--container', 'application']);
  return log
    .trim()
    .split('\n')
    .map((line) => {
      const [, what = '', milliseconds = ''] = /^(.*) (\d+)$/.exec(line) ?? [];
      return { what, milliseconds: Number(milliseconds) };
    });
}

/** Asks the Service by its address: what names a busy cluster's DNS answers in time is not this story's matter. */
async function load(namespace: Namespace): Promise<readonly unknown[]> {
  const [address = ''] = await clusterAddresses(namespace, 'server');
  return [applicationContainer('application', ['load', `http://${address}:8080/`])];
}

/** Waits until so many more calls went well, one after the other, than there are now. */
async function goesOn(namespace: Namespace, calls = 20): Promise<void> {
  const before = (await outcomes(namespace)).length;
  await eventually(async () => {
    const since = (await outcomes(namespace)).slice(before);
    const last = since.findLastIndex(({ what }) => !what.startsWith('200 '));
    expect(since.length - 1 - last).toBeGreaterThan(calls);
  }, 120_000);
}

story(
  'a sidecar that is killed under load comes back, and costs only the connections that it held',
  async ({ cluster, namespace }) => {
    const mesh = await shopMesh(namespace, ['client', 'server'], [{ from: 'client', to: 'server' }]);
    await namespace.apply(mesh.pod('server', APPLICATION), mesh.pod('client', await load(namespace)));
    await namespace.until('Ready', ['pod/server', 'pod/client']);
    for (const victim of ['server', 'client']) {
      await goesOn(namespace);
      await killSidecar(cluster, namespace, victim);
      await eventually(async () =>
        expect(Number(await namespace.field(`pod/${victim}`, SIDECAR_RESTARTS))).toBeGreaterThan(0),
      );
      await namespace.until('Ready', [`pod/${victim}`]);
      await goesOn(namespace);
      expect(await namespace.field(`pod/${victim}`, '.status.containerStatuses[0].restartCount')).toBe('0');
    }
    const all = await outcomes(namespace);
    const failed = all.filter(({ what }) => what !== '200 server');
    expect(failed.length).toBeGreaterThan(0);
    // An error at once: nothing was cut short and looked whole, nothing hung, nothing went beside the mesh.
    for (const { what, milliseconds } of failed) {
      expect(what).toMatch(/^(ECONNRESET|ECONNREFUSED)$/);
      expect(milliseconds).toBeLessThan(HUNG_MILLISECONDS);
    }
  },
);

story('a pod of a Service ends under load, and no call fails', async ({ namespace }) => {
  const mesh = await shopMesh(namespace, ['client', 'server'], [{ from: 'client', to: 'server' }]);
  // As with any Service: those who have not heard yet that the pod ends still call it for a moment.
  const server = { ...APPLICATION[0], lifecycle: { preStop: { sleep: { seconds: 8 } } } };
  const options = {
    account: 'server',
    labels: { app: 'server' },
    spec: { terminationGracePeriodSeconds: 90 },
  };
  await namespace.apply(mesh.pod('one', [server], options), mesh.pod('two', [server], options));
  await namespace.until('Ready', ['pod/one', 'pod/two']);
  await namespace.apply(mesh.pod('client', await load(namespace)));
  await namespace.until('Ready', ['pod/client']);
  await eventually(async () => {
    const names = new Set((await outcomes(namespace)).map(({ what }) => what));
    expect([...names].toSorted()).toEqual(['200 one', '200 two']);
  });

  const sidecar = namespace.kubectl(['logs', '--follow', 'one', '--container', 'sidecar']);
  await namespace.kubectl(['delete', 'pod', 'one', '--timeout=120s']);
  await goesOn(namespace);

  // It was told by its preStop, while its application went on; it is asked to stop after that has ended.
  expect(await sidecar).toMatch(/"message":"draining"[\s\S]*"message":"asked to stop"/);
  const all = await outcomes(namespace);
  expect(new Set(all.map(({ what }) => what))).toEqual(new Set(['200 one', '200 two']));
  expect(new Set(all.slice(-20).map(({ what }) => what))).toEqual(new Set(['200 two']));
});
