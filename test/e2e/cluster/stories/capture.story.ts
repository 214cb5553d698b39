import { expect } from 'vitest';
import { captureContainer } from '../manifests.ts';
import { applicationContainer, type Namespace, pod, service, toolsContainer } from '../namespace.ts';
import { MAY_SET_RULES } from '../security.ts';
import { story } from '../story.ts';

const FAILED = '--for=jsonpath={.status.phase}=Failed';
const ONCE = { spec: { restartPolicy: 'Never' } } as const;

story('init captures a pod and proves it; without a sidecar nothing passes', async ({ namespace }) => {
  await namespace.apply(
    pod('server', [applicationContainer('application', ['serve', '8080'])]),
    service('server', 8080),
    pod('captured', [applicationContainer('application', ['serve', '8080'])], {
      initContainers: [captureContainer('capture')],
    }),
  );
  await namespace.until('Ready', ['pod/server', 'pod/captured']);
  expect(await namespace.kubectl(['logs', 'captured', '-c', 'capture'])).toMatch(
    /^Capture is set up \(nft\)/,
  );
  for (const address of await namespace.addresses('captured')) {
    await expect(get(namespace, 'server', address)).rejects.toThrow('ECONNREFUSED');
  }
  for (const address of await namespace.addresses('server')) {
    await expect(get(namespace, 'captured', address)).rejects.toThrow('ECONNREFUSED');
  }
});

story('an annotation cannot put a rule of its own into the capture', async ({ namespace }) => {
  const env = {
    SALLYPORT_EXCLUDE_OUTBOUND_PORTS: '80; flush ruleset',
    SALLYPORT_EXCLUDE_INBOUND_PORTS: '-1',
  };
  await namespace.apply(
    pod('injected', [toolsContainer('application', 'true')], {
      initContainers: [captureContainer('capture', [], env)],
      ...ONCE,
    }),
  );
  await namespace.kubectl(['wait', 'pod/injected', FAILED, '--timeout=180s']);
  const said = await namespace.kubectl(['logs', 'injected', '-c', 'capture']);
  expect(said).toContain('Nothing was changed');
  expect(said).toContain('SALLYPORT_EXCLUDE_OUTBOUND_PORTS');
  expect(said).toContain('SALLYPORT_EXCLUDE_INBOUND_PORTS');
});

story("init refuses the node's network", async ({ cluster, namespace }) => {
  const [node = ''] = cluster.nodes;
  await namespace.apply(
    pod('host', [toolsContainer('application', 'true')], {
      node,
      initContainers: [captureContainer('capture')],
      spec: { restartPolicy: 'Never', hostNetwork: true },
    }),
  );
  await namespace.kubectl(['wait', 'pod/host', FAILED, '--timeout=180s']);
  expect(await namespace.kubectl(['logs', 'host', '-c', 'capture'])).toContain('host-network-namespace');
  expect(await cluster.onNode(node, ['nft', 'list', 'tables'])).not.toContain('sallyport');
});

story('init --remove takes back what init set, and only that', async ({ namespace }) => {
  const own = 'table inet application { }';
  const list = 'nft list tables';
  await namespace.apply(
    pod('pod', [toolsContainer('application', list)], {
      initContainers: [
        { ...toolsContainer('own', `nft -f - <<'END'\n${own}\nEND`), securityContext: MAY_SET_RULES },
        captureContainer('capture'),
        { ...toolsContainer('between', list), securityContext: MAY_SET_RULES },
        captureContainer('remove', ['--remove']),
        { ...toolsContainer('after', list), securityContext: MAY_SET_RULES },
      ],
      ...ONCE,
    }),
  );
  await namespace.kubectl(['wait', 'pod/pod', '--for=condition=Initialized', '--timeout=180s']);
  expect(await namespace.kubectl(['logs', 'pod', '-c', 'between'])).toContain('sallyport');
  expect(await namespace.kubectl(['logs', 'pod', '-c', 'after'])).toBe('table inet application\n');
});

function get(namespace: Namespace, from: string, address: string): Promise<string> {
  const host = address.includes(':') ? `[${address}]` : address;
  return namespace.exec(from, ['node', '/app/app.ts', 'get', `http://${host}:8080/`], 'application');
}
