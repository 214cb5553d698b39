import type { CryptoProvider } from '#handshake/crypto';
import { serviceAccountId, type SpiffePeer, spiffeVerifier, type TrustBundle } from '#identity';
import { CertificateAuthority, type StateDocument } from '#identity/ca';
import { IssuanceService, Revocations } from '#identity/issuance';
import { WorkloadAgent } from '#identity/workload';
import type { Cidr, Workload } from '#policy';
import { guarded, RpcServer } from '#rpc';
import type { Clock, Log, ReadableWatch, Scope } from '#runtime';
import type { Telemetry } from '#telemetry';
import { serviceNetworks } from './discovery/cluster-networks.ts';
import { Cluster, discoveryService, Hub } from './discovery/index.ts';
import type { ApiObjects } from './discovery/watch/api-objects.ts';
import { PodEvents } from './events/pod-events.ts';
import type { InjectionConfig } from './injection/settings.ts';
import { startWebhook } from './injection/webhook.ts';
import { KubernetesAttestor } from './issuance/attestor.ts';
import { BundlePublisher } from './issuance/bundle-publisher.ts';
import { type PodFacts, Pods } from './issuance/pods.ts';
import { Standing } from './issuance/standing.ts';
import { TokenLeases } from './issuance/token-leases.ts';
import type { KubernetesApi } from './kubernetes/api.ts';
import { Lease } from './kubernetes/lease.ts';
import { type OwnerReference, ownerOf } from './kubernetes/owner.ts';
import { SecretDocument } from './kubernetes/secret-document.ts';
import { startPodCertificates } from './pod-certificates/start.ts';
import { ClusterPolicies } from './policies/cluster-policies.ts';
import { Followers } from './policies/follower.ts';
import { Observations } from './policies/observations.ts';
import { startStatus } from './policies/start-status.ts';
import { startStatusServer } from './status-server.ts';

export interface ControllerSettings {
  readonly trustDomain: string;
  /** Where the controller runs: its own identity, Secrets and Lease. */
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Names this replica. */
  readonly pod: string;
  /** Audience of the tokens that sidecars show. */
  readonly audience: string;
  readonly host: string;
  readonly ports: { readonly grpc: number; readonly status: number };
  readonly leafLifetimeMilliseconds: number;
  readonly intermediateLifetimeMilliseconds: number;
  /** Of pods and Services; empty: as the cluster itself says. */
  readonly clusterNetworks: readonly Cidr[];
  readonly names: {
    readonly stateSecret: string;
    readonly revocationsSecret: string;
    readonly lease: string;
    readonly trustBundle: string;
    /** The sidecar's container in pods. */
    readonly sidecar: string;
    /** A ClusterRole with which all goes that is made at run time; undefined: it stays. */
    readonly owner?: string | undefined;
  };
  /** Signs PodCertificateRequests for this signer; undefined: none. */
  readonly podCertificates?: { readonly signerName: string } | undefined;
  /** Without plaintext, until a MeshTLS is called ready to be Strict; undefined: a day. */
  readonly policyQuietMilliseconds?: number | undefined;
  /** Undefined: no webhook. */
  readonly injection?: InjectionConfig | undefined;
}

export interface ControllerParts {
  readonly api: KubernetesApi;
  readonly objects: ApiObjects;
  readonly telemetry: Telemetry;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

/** How the controller's series are called beside those of sidecars. */
const SERVICE = 'controller';

/** The controller of a cluster: issuance and discovery over gRPC, the CA's state in Secrets, the roots in ConfigMaps. */
export class Controller {
  readonly #server: RpcServer<SpiffePeer>;
  readonly statusPort: number;
  /** Undefined: there is no webhook. */
  readonly webhookPort: number | undefined;

  private constructor(server: RpcServer<SpiffePeer>, statusPort: number, webhookPort: number | undefined) {
    this.#server = server;
    this.statusPort = statusPort;
    this.webhookPort = webhookPort;
  }

  /** Resolves when it serves; rejects with what keeps it from that. Ends with the scope. */
  static async start(
    scope: Scope,
    settings: ControllerSettings,
    parts: ControllerParts,
  ): Promise<Controller> {
    const { api, clock, log, random, telemetry } = parts;
    const { names, namespace, ports, host } = settings;
    const owner = names.owner === undefined ? undefined : await ownerOf(api, names.owner);
    const clusterNetworks =
      settings.clusterNetworks.length > 0 ? settings.clusterNetworks : await serviceNetworks(api);
    const authority = await openAuthority(settings, parts, owner);
    scope.defer(() => authority.close());
    const revocations = await Revocations.openOrMake({
      document: new SecretDocument(api, namespace, names.revocationsSecret, owner),
      clock,
      log,
    });
    const lease = new Lease({ api, namespace, name: names.lease, holder: settings.pod, owner, clock, log });
    const ledger = new TokenLeases({ api, namespace, owner, leads: lease.leads, clock, log });
    const own = ownAgent(settings, parts, authority);
    const pods = new Pods(names.sidecar);
    const policies = new ClusterPolicies({
      trustDomain: settings.trustDomain,
      rootNamespace: namespace,
      defaults: settings.injection?.settings.defaults,
      log,
    });
    const observations = new Observations(policies, clock);
    const cluster = new Cluster({
      api: parts.objects,
      clusterNetworks,
      clock,
      log,
      random,
      onRestart: (kind, reason) => telemetry.watchRestarted(SERVICE, kind, reason),
      // One watch for both: pods are most of what a cluster has.
      onPod: (key, pod) => pods.apply(key, pod),
      onPolicy: (kind, key, object) => policies.apply(kind, key, object),
    });
    const followers = new Followers({
      policies,
      observations,
      workloadOf: (uid) => workloadOf(pods.byUid(uid)),
    });
    scope.defer(
      pods.subscribe((_gone, relabelled) => {
        if (relabelled !== undefined) followers.podChanged(relabelled);
      }),
    );
    const hub = new Hub({ cluster, followers, trustDomain: settings.trustDomain, clock, log });
    const { pod: instance, serviceAccount: component } = settings;
    const events = new PodEvents({ api, component, instance, clock, log });
    const attestor = new KubernetesAttestor({
      ...settings,
      api,
      pods,
      synced: () => cluster.synced,
      onMisuse: (pod, refusal) => events.refused(pod, refusal),
      clock,
    });
    const issuance = new IssuanceService({
      authority,
      attestor,
      revocations: revocations.value,
      ledger,
      clock,
      log,
      onOutcome: (outcome) => {
        telemetry.issuance(SERVICE, outcome);
        const { pod, refusal } = outcome;
        if (pod !== undefined && refusal !== undefined) events.refused(pod, refusal);
      },
    });
    const bundle = authority.bundle;
    const { leads } = lease;
    const publisher = new BundlePublisher({ api, bundle, name: names.trustBundle, owner, leads, clock, log });
    publisher.run(scope);
    for (const each of [revocations, own, cluster, hub, ledger, events]) each.run(scope);
    startStatus(scope, {
      ...{ api, policies, observations, followers, leads: lease.leads, clock, log },
      graph: cluster.graph,
      workloads: () => meshedWorkloads(pods),
      quietMilliseconds: settings.policyQuietMilliseconds ?? QUIET_MILLISECONDS,
    });
    authority.run(scope, lease.leads);
    lease.run(scope);
    await own.whenReady(scope.signal);
    const standing = new Standing({
      attestor,
      pods,
      revocations: revocations.value,
      connections: () => server.connections,
    });
    const server: RpcServer<SpiffePeer> = await RpcServer.listen<SpiffePeer>(scope, {
      host,
      port: ports.grpc,
      tls: () => serverTls(own, bundle, parts),
      services: (connection) => [
        issuance.serve(connection),
        guarded(discoveryService(hub, connection, connection.peer?.pod), (signal) =>
          standing.refusal(connection, signal),
        ),
      ],
      clock,
      log,
      onEvent: (event) => {
        if (event.type === 'refused') telemetry.rpcRefused(SERVICE, event.refusal.reason);
      },
    });
    standing.run(scope);
    if (settings.podCertificates !== undefined) {
      startPodCertificates(scope, {
        ...{ ...settings.podCertificates, trustDomain: settings.trustDomain },
        ...{ api, objects: parts.objects, authority, pods, leads, clock, log, random },
        revocations: revocations.value,
        synced: () => cluster.synced,
        onOutcome: (outcome) => telemetry.issuance(SERVICE, outcome),
        onRestart: (kind, reason) => telemetry.watchRestarted(SERVICE, kind, reason),
      });
    }
    scope.defer(telemetry.watchRpcConnections(SERVICE, () => server.connections.size));
    scope.defer(telemetry.watchCredentials(SERVICE, own.credentials));
    scope.defer(telemetry.watchRoot(SERVICE, authority.root));
    scope.defer(telemetry.watchRenewalFailures(SERVICE, own.failures));
    scope.defer(
      telemetry.watchDiscoveryService(SERVICE, () => ({
        ageMilliseconds: cluster.ageMilliseconds,
        streams: hub.sessions,
        subscriptions: hub.subscriptions,
        policies: policies.counts,
      })),
    );
    const webhookPort =
      settings.injection === undefined
        ? undefined
        : await startWebhook(scope, settings.injection, {
            ...{ host, api, bundle, leads, publisher, clock, log },
            tls: () => webhookTls(own, parts),
            onReview: (outcome) => telemetry.injection(SERVICE, outcome),
          });
    const statusPort = await startStatusServer(scope, {
      host,
      port: ports.status,
      metrics: () => telemetry.metricsText(),
      missing: () => [
        ...(own.credentials.value === undefined ? ['its own certificate'] : []),
        ...(cluster.synced ? [] : ['the list of pods and Services']),
      ],
    });
    log.info('controller started', {
      identity: identityOf(settings).toString(),
      grpc: server.port,
      status: statusPort,
    });
    return new Controller(server, statusPort, webhookPort);
  }

  get grpcPort(): number {
    return this.#server.port;
  }

  /** Takes no new connections; resolves when the others have ended, at the latest after the grace. */
  drain(graceMilliseconds: number): Promise<void> {
    return this.#server.drain(graceMilliseconds);
  }
}

/** How long no plaintext must have come until a MeshTLS is called ready to be Strict. */
const QUIET_MILLISECONDS = 24 * 3_600_000;

/** Of pods with a sidecar that run. */
function* meshedWorkloads(pods: Pods): Iterable<{ readonly podUid: string; readonly workload: Workload }> {
  for (const pod of pods.all()) {
    const workload = pod.meshed ? workloadOf(pod) : undefined;
    if (workload !== undefined) yield { podUid: pod.uid, workload };
  }
}

/** As policies see a pod. Labels are read as they are now. */
function workloadOf(pod: PodFacts | undefined): Workload | undefined {
  if (pod === undefined || pod.ended) return undefined;
  const { namespace, serviceAccount, name, labels } = pod;
  return { namespace, serviceAccount, name, labels };
}

function openAuthority(
  {
    trustDomain,
    namespace,
    names,
    leafLifetimeMilliseconds,
    intermediateLifetimeMilliseconds,
  }: ControllerSettings,
  { api, clock, log }: ControllerParts,
  owner: OwnerReference | undefined,
): Promise<CertificateAuthority> {
  const document: StateDocument = new SecretDocument(api, namespace, names.stateSecret, owner);
  return CertificateAuthority.open({
    document,
    trustDomain,
    leafLifetimeMilliseconds,
    intermediateLifetimeMilliseconds,
    clock,
    log,
  });
}

function identityOf({ trustDomain, namespace, serviceAccount }: ControllerSettings) {
  return serviceAccountId(trustDomain, namespace, serviceAccount);
}

/** The controller's own certificate comes from its own authority, by the same agent that sidecars have. */
function ownAgent(
  settings: ControllerSettings,
  { clock, crypto, log, random }: ControllerParts,
  authority: CertificateAuthority,
): WorkloadAgent {
  const identity = identityOf(settings);
  const { injection, namespace } = settings;
  // As the API server calls a webhook behind a Service.
  const dnsNames = injection === undefined ? [] : [`${injection.service}.${namespace}.svc`];
  const issuance = { issue: (request: Uint8Array) => authority.issue(request, identity, dnsNames) };
  return new WorkloadAgent({ identity, issuance, bundle: authority.bundle, clock, crypto, log, random });
}

function serverTls(
  own: WorkloadAgent,
  bundle: ReadableWatch<TrustBundle>,
  { clock, crypto }: ControllerParts,
) {
  const credential = own.credentials.value?.credential;
  if (credential === undefined) return undefined;
  const verifier = spiffeVerifier({ bundle, clock });
  return {
    crypto,
    credential,
    clientAuthentication: { mode: 'request', required: false, verifier },
  } as const;
}

/** The API server shows no certificate, and reads ours as that of a web server. */
function webhookTls(own: WorkloadAgent, { crypto }: ControllerParts) {
  const credential = own.credentials.value?.credential;
  if (credential === undefined) return undefined;
  return { crypto, credential, clientAuthentication: { mode: 'none' } } as const;
}
