import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  Cluster,
  ClusterHandle,
  ClusterProvider,
  CommandOptions,
  RunningCluster,
  UpOptions,
} from '../cluster.ts';
import { before } from '../bare/network.ts';
import { eventually, expectGone, run, sallyport } from '../command.ts';

/** Kubernetes in Docker (kind.sigs.k8s.io), where docker, kind and kubectl are installed and kind's node image can be had. */
export const kindProvider: ClusterProvider = { unavailable, up, connect };

const PROGRAMS = ['docker', 'kind', 'kubectl', 'helm'];
const UP_MILLISECONDS = 10 * 60_000;

function unavailable(): string | undefined {
  const missing = PROGRAMS.filter((program) => spawnSync('which', [program]).status !== 0);
  if (missing.length > 0) return `E2E_CLUSTER=kind needs ${missing.join(', ')}`;
  const docker = spawnSync('docker', ['info'], { encoding: 'utf8' });
  return docker.status === 0 ? undefined : `E2E_CLUSTER=kind needs a running Docker: ${docker.stderr.trim()}`;
}

async function up({ nodes, images, progress }: UpOptions): Promise<RunningCluster> {
  const name = `sallyport-${randomBytes(4).toString('hex')}`;
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-kind-'));
  const kubeconfig = join(folder, 'kubeconfig');
  const down = async (): Promise<void> => {
    await run(['kind', 'delete', 'cluster', '--name', name], { timeoutMilliseconds: 120_000 });
    rmSync(folder, { recursive: true, force: true });
  };
  // Not on SIGKILL: then `kind delete cluster --name` is left to the user, and `kind get clusters` shows it.
  process.once('exit', () => spawnSync('kind', ['delete', 'cluster', '--name', name], { stdio: 'ignore' }));
  try {
    progress(`kind creates cluster ${name}; the first time Docker fetches its node image`);
    await run(
      [
        'kind',
        'create',
        'cluster',
        '--name',
        name,
        '--kubeconfig',
        kubeconfig,
        '--config',
        '-',
        '--wait',
        '180s',
      ],
      {
        input: JSON.stringify(kindConfig(nodes)),
        timeoutMilliseconds: UP_MILLISECONDS,
      },
    );
    const handle = { provider: 'kind', nodes: nodeNames(name, nodes), access: { name, kubeconfig } } as const;
    const cluster = connect(handle);
    for (const image of images) await cluster.loadImage(image);
    return { handle, down };
  } catch (error) {
    await down();
    throw error;
  }
}

function connect({ nodes, access }: ClusterHandle): Cluster {
  const { name = '', kubeconfig = '' } = access;
  const kubectl = (args: readonly string[], options?: CommandOptions): Promise<string> =>
    run(['kubectl', `--kubeconfig=${kubeconfig}`, ...args], options);
  const onNode = (node: string, command: readonly string[], options?: CommandOptions): Promise<string> =>
    run(['docker', 'exec', '--interactive', node, ...command], options);
  return {
    nodes,
    kubectl,
    helm: (args, options) => run(['helm', `--kubeconfig=${kubeconfig}`, ...args], options),
    sallyport: (args, options) => run(sallyport(kubeconfig, args, options), options),
    onNode,
    // kind's CNI is host-local too.
    nextPodAddress: async (node, address) => {
      const file = '/var/lib/cni/networks/kindnet/last_reserved_ip.0';
      await onNode(node, ['sh', '-c', `echo -n "$1" >${file}`, 'sh', before(address)]);
    },
    tokenKey: () => onNode(nodes[0] ?? '', ['cat', '/etc/kubernetes/pki/sa.key']),
    // A static pod of the control plane's kubelet: it runs while its manifest is there.
    stopApiServer: async () => {
      const [control = ''] = nodes;
      await onNode(control, ['mv', API_MANIFEST, AWAY]);
      await eventually(() => expectGone(() => kubectl(['get', '--raw', '/readyz'])), 60_000);
      return async () => {
        await onNode(control, ['mv', AWAY, API_MANIFEST]);
        await eventually(() => kubectl(['get', '--raw', '/readyz']), 120_000);
      };
    },
    loadImage: async (archive) => {
      await run(['kind', 'load', 'image-archive', archive, '--name', name], { timeoutMilliseconds: 300_000 });
    },
  };
}

const API_MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const AWAY = '/etc/kubernetes/kube-apiserver.yaml';

/** Both families, and pods on every node: kind keeps them off the control plane only where there are workers. */
function kindConfig(nodes: number): unknown {
  const control = { role: 'control-plane', kubeadmConfigPatches: [JSON.stringify(NO_TAINTS)] };
  return {
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    networking: { ipFamily: 'dual' },
    nodes: [control, ...Array.from({ length: nodes - 1 }, () => ({ role: 'worker' }))],
  };
}

const NO_TAINTS = { kind: 'InitConfiguration', nodeRegistration: { taints: [] } };

/** As kind names its containers, which are the nodes. */
function nodeNames(name: string, nodes: number): string[] {
  const workers = Array.from(
    { length: nodes - 1 },
    (_, index) => `${name}-worker${index === 0 ? '' : index + 1}`,
  );
  return [`${name}-control-plane`, ...workers];
}
