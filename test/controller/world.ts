import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { FakeKubernetes, TestApiServer } from '#controller/testing';
import { systemClock } from '#runtime';
import { freePort } from '#runtime/testing';
import { Child } from '../support/child.ts';

/** Much longer than anything takes here: a machine may be busy with other things. */
export const PATIENCE = { timeout: 20_000 };
const NAMESPACE = 'sallyport-system';
const SECRETS = `/api/v1/namespaces/${NAMESPACE}/secrets`;
const TRUST_BUNDLE = '/api/v1/namespaces/shop/configmaps/sallyport-trust-bundle';

/** Programs as a cluster runs them, `sallyport controller` and `sallyport sidecar`, with an API server of the test's own. */
export class World {
  readonly kubernetes = new FakeKubernetes();
  readonly folder = mkdtempSync(join(tmpdir(), 'sallyport-controller-'));
  readonly #server = new TestApiServer(systemClock, this.kubernetes);
  readonly #children: Child[] = [];

  /** With the namespace `shop` and its pod `web-0`, whose address is 127.0.0.1. */
  static async start(): Promise<World> {
    const world = new World();
    await world.#server.start();
    for (const name of ['shop', NAMESPACE]) {
      world.kubernetes.put(`/api/v1/namespaces/${name}`, { metadata: { name } });
    }
    world.#server.put('/api/v1/pods', {
      metadata: { name: 'web-0', namespace: 'shop', uid: 'uid-web-0' },
      spec: { serviceAccountName: 'web', nodeName: 'node-1', containers: [] },
      status: { phase: 'Running', podIPs: [{ ip: '127.0.0.1' }] },
    });
    world.write(
      'kubeconfig',
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'test',
        contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
        clusters: [
          { name: 'test', cluster: { server: world.#server.url, 'insecure-skip-tls-verify': true } },
        ],
        users: [{ name: 'test', user: {} }],
      }),
    );
    return world;
  }

  async end(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.stop()));
    await this.#server.stop();
    rmSync(this.folder, { recursive: true });
  }

  /** Ends every watch, as an API server that goes away does. */
  endWatches(): void {
    this.#server.endWatches();
  }

  /** Writes a file that programs read; its path. */
  write(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** `sallyport controller`, once it serves. */
  async controller(pod: string, settings: object = {}): Promise<Program & { readonly grpc: number }> {
    const [grpc, status] = [await freePort(), await freePort()];
    const file = this.write(
      `${pod}.yaml`,
      JSON.stringify({
        trustDomain: 'mesh.test',
        clusterNetworks: ['10.0.0.0/8'],
        host: '127.0.0.1',
        ports: { grpc, status },
        ...settings,
      }),
    );
    const child = this.spawn('src/cli/main.ts', ['controller', '-c', file], {
      SALLYPORT_NAMESPACE: NAMESPACE,
      SALLYPORT_POD: pod,
    });
    await child.says(/"controller started"/, PATIENCE.timeout);
    return { child, grpc, status };
  }

  /** `sallyport sidecar` of the pod `web-0`, with what its pod mounts. */
  async sidecar(grpc: number, token = this.token('JTI=sidecar')): Promise<Program> {
    const [inbound, outbound, admin, status, verification] = await Promise.all(
      Array.from({ length: 5 }, () => freePort()),
    );
    const file = this.write(
      'sidecar.yaml',
      JSON.stringify({
        trustDomain: 'mesh.test',
        workload: { namespace: 'shop', serviceAccount: 'web', name: 'web-0' },
        rootNamespace: NAMESPACE,
        controller: { host: '127.0.0.1', port: grpc, token: this.write('token', token) },
        trustBundle: this.write('trust-bundle.pem', await this.trustBundle()),
        policies: [],
        ports: { inbound, outbound, admin, status, verification },
      }),
    );
    const child = this.spawn('src/cli/main.ts', ['sidecar', '-c', file]);
    await child.says(/"sidecar started"/, PATIENCE.timeout);
    return { child, status: status ?? 0 };
  }

  /** A program of ours that runs until it is stopped, or the world ends. */
  spawn(script: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): Child {
    const child = new Child(process.execPath, [script, ...args], {
      environment: { KUBECONFIG: join(this.folder, 'kubeconfig'), ...environment },
    });
    this.#children.push(child);
    return child;
  }

  /** The roots as pods mount them, once the controller has written them. */
  async trustBundle(): Promise<string> {
    await expect.poll(() => this.kubernetes.objects.has(TRUST_BUNDLE), PATIENCE).toBe(true);
    const { data } = this.kubernetes.objects.get(TRUST_BUNDLE) as unknown as { data: Record<string, string> };
    return data['trust-bundle.pem'] ?? '';
  }

  /** The state of the authority as it lies in its Secret. */
  authorityState(): string | undefined {
    const secret = this.kubernetes.objects.get(`${SECRETS}/sallyport-ca`) as
      | { readonly data: Readonly<Record<string, string>> }
      | undefined;
    return secret && Buffer.from(secret.data['state.json'] ?? '', 'base64').toString();
  }

  /** A token that Kubernetes made for `web-0` and confirms, for an hour. */
  token(id: string, now = Date.now()): string {
    const claims = { jti: id, aud: ['sallyport'], exp: Math.floor(now / 1000) + 3600 };
    const text = `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;
    const extra = { 'pod-name': 'web-0', 'pod-uid': 'uid-web-0', 'node-name': 'node-1', 'credential-id': id };
    const prefix = 'authentication.kubernetes.io/';
    this.kubernetes.reviews.set(text, {
      authenticated: true,
      audiences: ['sallyport'],
      user: {
        username: 'system:serviceaccount:shop:web',
        uid: 'sa-uid',
        extra: Object.fromEntries(Object.entries(extra).map(([name, value]) => [prefix + name, [value]])),
      },
    });
    return text;
  }
}

export interface Program {
  readonly child: Child;
  /** Where /metrics and /ready are. */
  readonly status: number;
}

/** Prometheus text of a program. */
export async function metricsOf({ status }: Program): Promise<string> {
  return (await fetch(`http://127.0.0.1:${status}/metrics`)).text();
}
