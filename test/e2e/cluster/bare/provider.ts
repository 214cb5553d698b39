import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Cluster, ClusterHandle, ClusterProvider, RunningCluster, UpOptions } from '../cluster.ts';
import { run } from '../command.ts';
import { programImage } from '../images.ts';
import { installMissing } from '../packages.ts';
import { writeNodeConfig } from './config.ts';
import { connectBare } from './connect.ts';
import { API_ADDRESSES, API_SERVER, networkEnvironment } from './network.ts';
import { buildPrograms, programCache, type Programs } from './programs.ts';
import { removeLeftovers, Supervisor } from './supervisor.ts';

/**
 * A real Kubernetes on this machine alone: no container engine, no registry, only Debian's packages and Go's modules.
 * It lives in its own PID, mount, network and cgroup namespaces: see supervise.sh and init.sh.
 */
export const bareProvider: ClusterProvider = { unavailable, up, connect: connectBare };

const CLUSTER_PACKAGES = {
  '/usr/bin/containerd': 'containerd',
  '/usr/sbin/runc': 'runc',
  '/usr/lib/cni/ptp': 'containernetworking-plugins',
  '/usr/sbin/nft': 'nftables',
  '/usr/sbin/conntrack': 'conntrack',
  '/bin/ip': 'iproute2',
  '/bin/pgrep': 'procps',
  '/usr/bin/openssl': 'openssl',
};

const here = fileURLToPath(new URL('.', import.meta.url));

function unavailable(): string | undefined {
  if (process.platform !== 'linux') return 'the cluster needs Linux';
  if (process.getuid?.() !== 0) return 'the cluster needs root, to make namespaces';
  const probe = ['--cgroup', '--net', '--mount', '--pid', '--fork', 'true'];
  const { status, stderr } = spawnSync('unshare', probe, { encoding: 'utf8' });
  return status === 0 ? undefined : `the cluster needs namespaces, which are refused here: ${stderr.trim()}`;
}

async function up({ nodes, images, progress }: UpOptions): Promise<RunningCluster> {
  const cache = programCache();
  const runs = join(cache, 'run');
  await installMissing(CLUSTER_PACKAGES, progress);
  const programs = await buildPrograms(cache, progress);
  removeLeftovers(runs);
  progress(`starting Kubernetes with ${nodes === 1 ? 'one node' : `${nodes} nodes`}`);
  const began = Date.now();
  mkdirSync(runs, { recursive: true });
  const folder = mkdtempSync(join(runs, 'sallyport-'));
  const environment = { ...networkEnvironment, NODES: String(nodes), BIN: programs.bin };
  await prepare(folder, nodes, programs, images, environment);
  const supervisor = new Supervisor(folder, environment);
  try {
    await supervisor.ready();
    const handle = handleOf(folder, nodes, programs, supervisor);
    await startDns(connectBare(handle));
    progress(`Kubernetes is up after ${((Date.now() - began) / 1000).toFixed(1)} s (${timeline(folder)})`);
    return { handle, down: () => supervisor.end() };
  } catch (error) {
    await supervisor.end();
    throw error;
  }
}

async function prepare(
  folder: string,
  nodes: number,
  programs: Programs,
  images: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  mkdirSync(join(folder, 'log'));
  mkdirSync(join(folder, 'images'));
  for (const archive of images) symlinkSync(archive, join(folder, 'images', basename(archive)));
  programImage(join(folder, 'images'), 'localhost/pause:1', programs.pause);
  programImage(join(folder, 'images'), 'localhost/coredns:1', programs.coredns);
  for (let node = 1; node <= nodes; node += 1) writeNodeConfig(folder, node);
  await run(['bash', join(here, 'pki.sh'), folder, API_SERVER, API_ADDRESSES], { environment });
}

function handleOf(folder: string, nodes: number, programs: Programs, { init }: Supervisor): ClusterHandle {
  const names = Array.from({ length: nodes }, (_, index) => `node${index + 1}`);
  return { provider: 'bare', nodes: names, access: { folder, bin: programs.bin, helm: programs.helm, init } };
}

async function startDns(cluster: Cluster): Promise<void> {
  await cluster.kubectl(['apply', '-f', join(here, 'coredns.yaml')]);
  await cluster.kubectl(['-n', 'kube-system', 'rollout', 'status', 'deployment/coredns', '--timeout=120s'], {
    timeoutMilliseconds: 130_000,
  });
}

/** When each step of init.sh was done, in seconds after its start. */
function timeline(folder: string): string {
  const lines = readFileSync(join(folder, 'timeline'), 'utf8').trim().split('\n');
  const steps = lines.map((line) => line.split(' '));
  const start = Number(steps[0]?.[0]);
  return steps
    .slice(1)
    .map(([time, step]) => `${step} ${(Number(time) - start).toFixed(1)}`)
    .join(', ');
}
