import { expect } from 'vitest';
import { applicationContainer, pod, service } from '../namespace.ts';
import { reach } from '../shop.ts';
import { nodePairs, story } from '../story.ts';

story('the cluster comes up with every node ready and both address families', async ({ cluster }) => {
  const addresses = await cluster.kubectl([
    'get',
    'nodes',
    '--output',
    'jsonpath={range .items[*]}{.metadata.name}{range .status.addresses[?(@.type=="InternalIP")]} {.address}{end}{"\\n"}{end}',
  ]);
  const lines = addresses
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  expect(lines.map(([name]) => name)).toEqual(cluster.nodes);
  for (const [, ...both] of lines)
    expect(both.map((address) => address.includes(':'))).toEqual([false, true]);
});

story(
  'pods reach pods and Services over IPv4 and IPv6, on one node and across two',
  async ({ cluster, namespace }) => {
    for (const [index, [from, to]] of nodePairs(cluster).entries()) {
      const client = `client-${index}`;
      const server = `server-${index}`;
      await namespace.apply(
        pod(client, [applicationContainer('application', ['wait'])], { node: from }),
        pod(server, [applicationContainer('application', ['serve', '8080'])], { node: to }),
        service(server, 8080),
      );
      await namespace.until('Ready', [`pod/${client}`, `pod/${server}`]);
      const pods = await namespace.addresses(server);
      const services = (await namespace.field(`service/${server}`, '.spec.clusterIPs[*]')).split(' ');
      expect(pods).toHaveLength(2);
      expect(services).toHaveLength(2);
      for (const address of [...pods, ...services]) {
        await reach(namespace, client, address, server);
      }
    }
  },
);

story('CoreDNS answers for Services, and for the pods of a headless one', async ({ namespace }) => {
  await namespace.apply(
    pod('client', [applicationContainer('application', ['wait'])]),
    pod('server', [applicationContainer('application', ['serve', '8080'])]),
    service('server', 8080),
    service('headless', 8080, { clusterIP: 'None', selector: { app: 'server' } }),
  );
  await namespace.until('Ready', ['pod/client', 'pod/server']);
  const zone = `${namespace.name}.svc.cluster.local`;
  for (const name of ['server', `server.${zone}`, `headless.${zone}`]) {
    await reach(namespace, 'client', name, 'server');
  }
});
