import { chmodSync, chownSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type TestContext } from 'vitest';
import { serviceAccountId } from '#identity';
import { makeAuthority } from '#identity/testing';
import { type Child, needs } from '../../support/child.ts';
import { type Machine, Network } from '../../support/netns.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { init } from './inside.ts';

/** The sidecar's user id, whose connections are not captured. */
export const SIDECAR = 1_337;
const TRUST_DOMAIN = 'mesh.test';
const NAMESPACE = 'shop';
const CLUSTER_NETWORKS = ['10.77.0.0/16', '10.78.0.0/16', 'fd77::/32', 'fd78::/32'];
const HOUR = 3_600_000;

export interface PodOptions {
  /** Lines that sidecar.yaml has besides its files. */
  readonly settings?: string;
  readonly policy?: string;
  /** Lines of `destinations` besides those of every pod and of the outside host. */
  readonly destinations?: string;
  readonly init?: readonly string[];
}

/** Pods with captured traffic and a sidecar each, and a host outside that has neither, on one network. */
export class NamespaceMesh {
  readonly network: Network;
  readonly outside: Machine;
  readonly #authority = makeAuthority({ trustDomain: TRUST_DOMAIN });
  readonly #folder = temporaryFolder('netns');
  readonly #pods: readonly string[];
  readonly #unmeshed = new Set<string>();

  private constructor(network: Network, pods: readonly string[]) {
    this.network = network;
    this.outside = network.machine('outside');
    this.#pods = pods;
    chmodSync(this.#folder, 0o755);
  }

  /** The machines. Pods are plain hosts until they are started. */
  static async create(context: TestContext, pods: readonly string[]): Promise<NamespaceMesh> {
    needs(context, 'nft');
    return new NamespaceMesh(await Network.create(context, [...pods, 'outside']), pods);
  }

  /** Sets capture up, starts the sidecar and waits until it is ready and both directions are proved. */
  async start(name: string, options: PodOptions = {}): Promise<MeshedPod> {
    const machine = this.network.machine(name);
    const pod = new MeshedPod(name, machine, join(this.#folder, name));
    pod.writeIdentity(this.#leaf(name), this.#authority.rootPem);
    pod.write('policies/policy.yaml', options.policy ?? ALLOW_ALL);
    pod.write('destinations.yaml', this.#destinations(options.destinations ?? ''));
    pod.write('sidecar.yaml', sidecarYaml(name, options.settings ?? ''));
    const set = init(machine, options.init);
    expect(set, set.stderr).toMatchObject({ code: 0 });
    await pod.startSidecar();
    await pod.verified(this.outside);
    return pod;
  }

  /** From here on pods that start are told that this one has no sidecar. */
  unmeshed(name: string): void {
    this.#unmeshed.add(name);
  }

  /** A fresh certificate, swapped in as a kubelet swaps a Secret. */
  renew(pod: MeshedPod): void {
    pod.writeIdentity(this.#leaf(pod.name), this.#authority.rootPem);
  }

  #leaf(name: string): { readonly chain: string; readonly key: string } {
    const spiffeId = identityOf(name);
    return this.#authority.makeLeaf({ spiffeId, notAfter: Date.now() + HOUR }).pem;
  }

  #destinations(more: string): string {
    const rows = this.#pods.map((name) => {
      const { ipv4, ipv6 } = this.network.machine(name);
      const what = this.#unmeshed.has(name) ? 'unmeshed: true' : `identities: ["${identityOf(name)}"]`;
      return `  - { networks: [${ipv4}/32, "${ipv6}/128"], ${what} }`;
    });
    const { ipv4, ipv6 } = this.outside;
    const outside = `  - { networks: [${ipv4}/32, "${ipv6}/128"], unmeshed: true }`;
    const networks = CLUSTER_NETWORKS.map((network) => `"${network}"`).join(', ');
    return [`clusterNetworks: [${networks}]`, 'destinations:', ...rows, outside, more, ''].join('\n');
  }
}

type Line = Readonly<Record<string, unknown>>;

export class MeshedPod {
  readonly name: string;
  readonly machine: Machine;
  readonly ipv4: string;
  readonly ipv6: string;
  readonly #folder: string;
  #generation = 0;
  #sidecar: Child | undefined;

  constructor(name: string, machine: Machine, folder: string) {
    this.name = name;
    this.machine = machine;
    this.ipv4 = machine.ipv4;
    this.ipv6 = machine.ipv6;
    this.#folder = folder;
    mkdirSync(join(folder, 'policies'), { recursive: true });
    mkdirSync(join(folder, 'identity'), { recursive: true });
  }

  get sidecar(): Child {
    if (this.#sidecar === undefined) throw new Error(`${this.name} has no sidecar`);
    return this.#sidecar;
  }

  /** The lines of its log. */
  get lines(): readonly Line[] {
    return this.sidecar.stdout
      .toString()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Line);
  }

  /** Those about connections of one direction, once `count` of them are over; the log hears of it after their callers. */
  async connections(direction: 'inbound' | 'outbound', count: number): Promise<readonly Line[]> {
    const over = (): readonly Line[] =>
      this.lines.filter((line) => line.message === 'connection' && line.direction === direction);
    await expect.poll(() => over().length, { timeout: 10_000 }).toBeGreaterThanOrEqual(count);
    return over();
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.#folder, file), text);
  }

  writeIdentity(leaf: { readonly chain: string; readonly key: string }, roots: string): void {
    this.#generation += 1;
    const folder = join(this.#folder, 'identity');
    const generation = join(folder, `..${this.#generation}`);
    mkdirSync(generation);
    writeFileSync(join(generation, 'tls.crt'), leaf.chain);
    writeFileSync(join(generation, 'tls.key'), leaf.key, { mode: 0o600 });
    chownSync(join(generation, 'tls.key'), SIDECAR, SIDECAR);
    writeFileSync(join(generation, 'ca.crt'), roots);
    symlinkSync(`..${this.#generation}`, join(folder, '..new'));
    renameSync(join(folder, '..new'), join(folder, '..data'));
  }

  async startSidecar(): Promise<Child> {
    const args = ['src/cli/main.ts', 'sidecar', '-c', join(this.#folder, 'sidecar.yaml')];
    this.#sidecar = this.machine.start(process.execPath, args, { uid: SIDECAR });
    await this.#sidecar.says(/"sidecar started"/, 30_000);
    return this.#sidecar;
  }

  async stopSidecar(): Promise<void> {
    this.sidecar.signal('SIGTERM');
    expect(await this.sidecar.ended()).toMatchObject({ code: 0 });
  }

  /** Puts a key that belongs to no certificate in the place of ours. */
  spoilIdentity(): void {
    writeFileSync(join(this.#folder, 'identity/..data/tls.key'), 'no key');
  }

  /** What the kubelet's startupProbe does: a port on which nobody listens. */
  async verified(from: Machine): Promise<void> {
    for (const host of [this.ipv4, `[${this.ipv6}]`]) {
      const answer = from.run('curl', ['-s', '-m', '5', '-w', '%{http_code}', `http://${host}:15021/ready`]);
      expect(answer.stdout).toMatch(/"ready":true.*\n200$/s);
    }
    await this.sidecar.says(/inbound capture verified/);
  }

  /** The value of a metric whose labels contain these, read from the status port as a collector would. */
  metric(from: Machine, name: string, labels: Readonly<Record<string, string>> = {}): number {
    const { stdout } = from.run('curl', ['-s', '-m', '5', `http://${this.ipv4}:15020/metrics`]);
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    const line = stdout
      .split('\n')
      .find((line) => line.startsWith(`${name}{`) && wanted.every((label) => line.includes(label)));
    return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(' ')));
  }
}

export function identityOf(name: string): string {
  return serviceAccountId(TRUST_DOMAIN, NAMESPACE, name).toString();
}

/** Whoever has an identity may call everybody. */
const ALLOW_ALL = `
apiVersion: mesh.sallyport.dev/v1alpha1
kind: MeshPolicy
metadata: { name: all, namespace: ${NAMESPACE} }
spec:
  action: Allow
  rules:
    - from: [{ namespaces: [${NAMESPACE}] }]
`;

/** Everybody may call, with an identity or without; the mode decides what else is asked. */
export function openTo(mode: 'Strict' | 'Permissive' | 'Disabled'): string {
  return `${ALLOW_ALL.replace(`namespaces: [${NAMESPACE}]`, 'peer: Any')}
---
apiVersion: mesh.sallyport.dev/v1alpha1
kind: MeshTLS
metadata: { name: mode, namespace: ${NAMESPACE} }
spec: { mode: ${mode} }
`;
}

function sidecarYaml(name: string, more: string): string {
  return `
service: ${name}
trustDomain: ${TRUST_DOMAIN}
workload: { namespace: ${NAMESPACE}, serviceAccount: ${name} }
certificate: identity/..data/tls.crt
key: identity/..data/tls.key
trustBundle: identity/..data/ca.crt
policies: [policies]
destinations: destinations.yaml
${more}
`;
}
