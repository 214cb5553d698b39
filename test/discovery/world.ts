import { apiObjects, Cluster, discoveryService, Hub } from '#controller/discovery';
import { TestApiServer } from '#controller/testing';
import { nodeProvider } from '#handshake/crypto';
import { credentialOf, FakeVerifier, makeIdentity } from '#handshake/testing';
import { parseCidr } from '#policy';
import { RpcServer } from '#rpc';
import { type Clock, Scope, silentLog, systemClock } from '#runtime';
import { Discovery } from '#sidecar';
import { rpcDiscovery } from '#sidecar/discover';

const PODS = '/api/v1/pods';
export const SERVICES = '/api/v1/services';
export const SLICES = '/apis/discovery.k8s.io/v1/endpointslices';

const controllerIdentity = makeIdentity('controller');
const sidecarIdentity = makeIdentity('sidecar');
export const believed = new FakeVerifier([controllerIdentity, sidecarIdentity]);

/** A cluster's API server, the controllers that follow it and the sidecars that ask them, all over real connections. */
export class World {
  readonly clock: Clock = systemClock;
  readonly api = new TestApiServer(systemClock);
  readonly failures: unknown[] = [];
  readonly scope = new Scope('world', (error) => this.failures.push(error));

  static async start(): Promise<World> {
    const world = new World();
    await world.api.start();
    return world;
  }

  async stop(): Promise<void> {
    await this.scope.close();
    await this.api.stop();
  }

  /** `port` 0: one that is free. `api`: where it looks, if not at the one of this world. */
  async controller(port = 0, api = this.api): Promise<Controller> {
    const scope = this.scope.child('controller');
    const { clock } = this;
    const parts = { clock, log: silentLog };
    const cluster = new Cluster({
      api: apiObjects(api.kubeConfig),
      clusterNetworks: ['10.0.0.0/8'].flatMap((text) => {
        const parsed = parseCidr(text);
        return parsed.ok ? [parsed.value] : [];
      }),
      random: Math.random,
      ...parts,
    });
    const hub = new Hub({ cluster, trustDomain: 'mesh.test', ...parts });
    hub.run(scope);
    cluster.run(scope);
    const server = await RpcServer.listen(scope, {
      host: '127.0.0.1',
      port,
      tls: () => ({
        crypto: nodeProvider,
        credential: credentialOf(controllerIdentity),
        clientAuthentication: { mode: 'request', required: false, verifier: believed },
      }),
      services: (connection) => [discoveryService(hub, connection)],
      limits: { connectionsPerAddress: 24_000 },
      ...parts,
    });
    return { hub, cluster, port: server.port, stop: () => scope.close() };
  }

  /** Asks the controllers at these ports by turns. */
  sidecar(...ports: readonly number[]): Discovery {
    let turn = 0;
    const { clock } = this;
    const discovery = new Discovery({
      open: (on) => {
        const port = ports[turn % ports.length] ?? 0;
        turn += 1;
        return rpcDiscovery({
          target: { host: '127.0.0.1', port },
          tls: () => ({
            crypto: nodeProvider,
            verifier: believed,
            credential: credentialOf(sidecarIdentity),
          }),
          clock,
        })(on);
      },
      statusPort: 15_020,
      clock,
      log: silentLog,
      random: Math.random,
    });
    discovery.run(this.scope);
    return discovery;
  }

  /** A running pod, as the kubelet reports it. */
  pod(name: string, ip: string, meshed = true, more: object = {}): void {
    this.api.put(PODS, {
      metadata: {
        name,
        namespace: 'shop',
        uid: `uid-${name}`,
        creationTimestamp: '2026-01-01T00:00:00Z',
        ...more,
      },
      spec: {
        serviceAccountName: name,
        containers: meshed ? [{ name: 'sallyport', args: ['sidecar'] }] : [],
      },
      status: { phase: 'Running', podIPs: [{ ip }] },
    });
  }
}

export interface Controller {
  readonly hub: Hub;
  readonly cluster: Cluster;
  readonly port: number;
  readonly stop: () => Promise<void>;
}
