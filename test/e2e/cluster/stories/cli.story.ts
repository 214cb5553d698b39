import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { parse } from 'yaml';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../command.ts';
import { IMAGES } from '../images.ts';
import { applicationContainer, type Manifest, type Namespace, service } from '../namespace.ts';
import { story } from '../story.ts';

const LABEL = 'mesh.sallyport.dev/inject';

function deployment(name: string, args: readonly string[]): Manifest {
  const labels = { app: name };
  const container = { ...applicationContainer('application', args), ports: [{ containerPort: 8080 }] };
  const template = {
    metadata: { labels },
    spec: { terminationGracePeriodSeconds: 1, serviceAccountName: name, containers: [container] },
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { selector: { matchLabels: labels }, template },
  };
}

function account(name: string): Manifest {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } };
}

function allow(name: string, caller: string, namespace: string): Manifest {
  return {
    apiVersion: 'mesh.sallyport.dev/v1alpha1',
    kind: 'MeshPolicy',
    metadata: { name },
    spec: {
      targetRef: { group: '', kind: 'ServiceAccount', name },
      action: 'Allow',
      rules: [{ from: [{ serviceAccounts: [{ name: caller, namespace }] }] }],
    },
  };
}

interface Findings {
  readonly ok: boolean;
  readonly findings: readonly { readonly check: string; readonly result: string; readonly say: string }[];
}

async function findings(cluster: Cluster, ...args: readonly string[]): Promise<Findings> {
  return JSON.parse(await cluster.sallyport(['check', '--json', ...args])) as Findings;
}

function resultOf({ findings }: Findings, check: string): string | undefined {
  return findings.find((finding) => finding.check === check)?.result;
}

/** Commands of docs/operations.md, with the namespace and pod of the story in place of those of the page. */
function documentedCommands(namespace: Namespace, pod: string): readonly (readonly string[])[] {
  const page = readFileSync(new URL('../../../../docs/operations.md', import.meta.url), 'utf8');
  const blocks = [...page.slice(page.indexOf('## Alerts')).matchAll(/\n```\n([^`]+)```/g)];
  return [...new Set(blocks.flatMap(([, block = '']) => block.trim().split('\n')))].map((line) =>
    [...line.replaceAll('web-7d9c5', pod).matchAll(/"([^"]*)"|(\S+)/g)].map(
      ([, quoted, plain = '']) => quoted ?? plain.replace(/\bshop\b/g, namespace.name),
    ),
  );
}

/** A kubeconfig of somebody who may nothing. */
async function strangersConfig(cluster: Cluster, namespace: Namespace, folder: string): Promise<string> {
  const admin = parse(await cluster.kubectl(['config', 'view', '--raw'])) as {
    clusters: readonly object[];
    contexts: readonly { name: string; context: { cluster: string } }[];
  };
  const token = (await namespace.kubectl(['create', 'token', 'client'])).trim();
  const [context] = admin.contexts;
  const config = {
    ...admin,
    users: [{ name: 'stranger', user: { token } }],
    contexts: [{ name: 'stranger', context: { cluster: context?.context.cluster, user: 'stranger' } }],
    'current-context': 'stranger',
  };
  const file = join(folder, 'stranger.conf');
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

story(
  'the CLI against a kubeconfig: check, install, status, certs, handshakes, can-i, explain, and the commands of every alert',
  async ({ cluster, namespace, turn, onTestFinished }) => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-cli-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    // Its webhook would be asked about the pods of other stories too.
    await turn.alone(async () => {
      try {
        await meshed(cluster, namespace, folder);
      } finally {
        await cluster.sallyport(['uninstall', '--force'], { timeoutMilliseconds: 200_000 });
      }
    });
  },
  420_000,
);

async function meshed(cluster: Cluster, namespace: Namespace, folder: string): Promise<void> {
  // Before: it may be installed, and whoever asks for the mesh is told that there is none.
  const before = await findings(cluster, '--pre');
  expect(before.findings.filter(({ result }) => result === 'failed')).toEqual([]);
  await expect(cluster.sallyport(['status', '--cluster'])).rejects.toThrow('Sallyport is not installed');
  await expect(cluster.sallyport(['check'])).rejects.toThrow('exit code 1');

  const began = Date.now();
  const install = ['install', '--image', IMAGES.sallyport, '--for', '2m'];
  expect(await cluster.sallyport(install, { timeoutMilliseconds: 180_000 })).toContain('Sallyport runs.');
  console.log(`installed after ${Date.now() - began} ms`);
  await cluster.kubectl(['label', 'namespace', namespace.name, `${LABEL}=enabled`]);
  await namespace.apply(
    account('server'),
    account('client'),
    deployment('server', ['serve', '8080']),
    service('server', 8080),
    deployment('client', ['wait']),
  );
  for (const name of ['server', 'client'])
    await namespace.kubectl(['rollout', 'status', `deployment/${name}`, '--timeout=100s'], {
      timeoutMilliseconds: 120_000,
    });
  const ask = ['node', '/app/app.ts', 'get', 'http://server:8080/hello'];
  await eventually(() => namespace.exec('deployment/client', ask, 'application'));

  // A fresh default is no fault, and it is said.
  const fresh = await findings(cluster);
  expect(fresh.findings.filter(({ result }) => result === 'failed')).toEqual([]);
  expect(resultOf(fresh, 'policy-default')).toBe('warning');
  expect(resultOf(fresh, 'sidecars')).toBe('ok');
  expect(resultOf(fresh, 'authority')).toBe('ok');

  const status = await cluster.sallyport(['status', '--json', '--cluster']);
  expect(JSON.parse(status)).toMatchObject({
    controller: { namespace: 'sallyport-system', ready: 1 },
    defaults: { unselected: 'AllowAuthenticated', tlsMode: 'Permissive' },
    namespaces: [{ namespace: namespace.name, sidecars: 2, ready: 2 }],
  });
  const server = `spiffe://cluster.local/ns/${namespace.name}/sa/server`;
  const certificates = await cluster.sallyport(['certs', '--json', namespace.name]);
  expect(JSON.parse(certificates)).toHaveLength(2);
  expect(certificates).toContain(server);
  const handshakes = await cluster.sallyport(['handshakes', '--json', `${namespace.name}/client`]);
  expect(JSON.parse(handshakes)).toMatchObject([{ role: 'client', result: 'ok', peer: server }]);

  // Who may call whom, before and after the first Allow.
  const call = [`${namespace.name}/client`, `${namespace.name}/server`];
  expect(await cluster.sallyport(['can-i', ...call])).toMatch(/^yes: /);
  await namespace.apply(allow('server', 'somebody-else', namespace.name));
  await eventually(async () => {
    const refused = cluster.sallyport(['policy', 'explain', ...call]);
    await expect(refused).rejects.toThrow(/no: .* \(no-policy-allows\)[\s\S]*MeshPolicy .*\/server rule 0/);
  });
  expect(await cluster.sallyport(['policy', 'validate', '--cluster'])).toContain('1 object, 0 errors');
  await namespace.kubectl(['delete', 'meshpolicy', 'server']);

  // Every command that docs/operations.md gives for an alert.
  const [pod = ''] = (
    await namespace.kubectl([
      'get',
      'pods',
      '--selector=app=server',
      '--output=jsonpath={.items[*].metadata.name}',
    ])
  ).split(' ');
  for (const [program, ...args] of documentedCommands(namespace, pod)) {
    await (program === 'kubectl' ? cluster.kubectl(args) : cluster.sallyport(args));
  }

  // Somebody without rights is told so, in words.
  const config = await strangersConfig(cluster, namespace, folder);
  const asStranger = (...args: string[]) => cluster.sallyport(args, { environment: { KUBECONFIG: config } });
  await expect(asStranger('status', '--cluster')).rejects.toThrow('does not let you');
  await expect(asStranger('check', '--pre')).rejects.toThrow('You may not create');
  await expect(asStranger('certs', '--context', 'nowhere')).rejects.toThrow('no context nowhere');

  // It is not taken away under those who depend on it.
  await expect(cluster.sallyport(['uninstall'])).rejects.toThrow(new RegExp(`${namespace.name}/server-`));
  await namespace.kubectl(['delete', 'deployment', '--all', '--cascade=foreground']);
  await eventually(async () => {
    const gone = await cluster.sallyport(['uninstall', '--crds'], { timeoutMilliseconds: 200_000 });
    expect(gone).toContain('Sallyport is gone');
  });
  const left = 'clusterroles,clusterrolebindings,mutatingwebhookconfigurations,validatingadmissionpolicies';
  const selector = '--selector=app.kubernetes.io/instance=sallyport';
  expect(await cluster.kubectl(['get', left, selector, '--output=name'])).toBe('');
}
