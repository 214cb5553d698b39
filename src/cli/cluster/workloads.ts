import { parseSpiffeId, serviceAccountId, type SpiffeId } from '#identity';
import type { ConnectionFacts, Workload } from '#policy';
import { printable } from '#runtime';
import { UsageError } from '../usage-error.ts';
import type { Cluster } from './cluster.ts';
import { parsePlace } from './places.ts';
import { type ClusterPod, livingPods, workloadOf } from './sidecars.ts';

/** Who calls, as policy sees it. */
export type Caller = Pick<ConnectionFacts, 'peer' | 'peerLabels' | 'address'> & { readonly shown: string };

/** Whom somebody calls. */
export interface Callee {
  readonly workload: Workload;
  readonly port: number;
  readonly pod: ClusterPod;
}

/** For a caller without a sidecar. */
const PLAINTEXT = 'plaintext';
/** Of a caller of whom no pod runs: in no network that a policy would name. */
const NOWHERE = '0.0.0.0';

/**
 * `NAMESPACE/NAME` (a pod, a workload or a ServiceAccount), a SPIFFE ID, or `plaintext`. Where a pod runs by that name, its
 * labels and address count too.
 */
export async function callerOf(cluster: Cluster, trustDomain: string, text: string): Promise<Caller> {
  if (text === PLAINTEXT) return { peer: undefined, address: NOWHERE, shown: 'a caller without a sidecar' };
  if (text.startsWith('spiffe://')) {
    const parsed = parseSpiffeId(text);
    if (!parsed.ok) throw new UsageError(`${printable(text)} is no SPIFFE ID.`);
    return { peer: parsed.value, address: NOWHERE, shown: text };
  }
  const { namespace, name } = parsePlace(text);
  if (name === undefined)
    throw new UsageError(`${text}: name the caller as NAMESPACE/NAME, a SPIFFE ID, or ${PLAINTEXT}.`);
  const pods = await livingPods(cluster, namespace);
  const pod = called(pods, name) ?? pods.find(({ spec }) => (spec.serviceAccountName ?? 'default') === name);
  const account = pod?.spec.serviceAccountName ?? (pod === undefined ? name : 'default');
  const peer: SpiffeId = serviceAccountId(trustDomain, namespace, account);
  return {
    peer,
    address: pod?.status?.podIPs?.[0]?.ip ?? NOWHERE,
    ...(pod === undefined ? {} : { peerLabels: pod.metadata.labels ?? {} }),
    shown: peer.toString(),
  };
}

/** `NAMESPACE/NAME[:PORT]`: a pod, a workload or a Service. Without a port the only one that its pod names. */
export async function calleeOf(cluster: Cluster, text: string): Promise<Callee> {
  const [, place = text, given] = /^(.*?)(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  const { namespace, name } = parsePlace(place);
  if (name === undefined)
    throw new UsageError(`${text}: name whom it calls as NAMESPACE/NAME or NAMESPACE/NAME:PORT.`);
  const pods = await livingPods(cluster, namespace);
  const direct = called(pods, name);
  const service = direct === undefined ? await serviceNamed(cluster, namespace, name) : undefined;
  const selector = Object.entries(service?.spec.selector ?? {});
  const pod =
    direct ??
    (selector.length === 0
      ? undefined
      : pods.find(({ metadata }) => selector.every(([key, value]) => metadata.labels?.[key] === value)));
  if (pod === undefined)
    throw new UsageError(`No pod, workload or Service ${place} with a pod runs in this cluster.`);
  const asked = given === undefined ? undefined : Number(given);
  const port = targetPort(service, asked, pod) ?? asked ?? onlyPort(pod, place);
  if (port < 1 || port > 65_535) throw new UsageError(`${port} is no port.`);
  const { labels = {}, name: podName } = pod.metadata;
  const serviceAccount = pod.spec.serviceAccountName ?? 'default';
  return { workload: Object.freeze({ namespace, name: podName, serviceAccount, labels }), port, pod };
}

function called(pods: readonly ClusterPod[], name: string): ClusterPod | undefined {
  return pods.find(({ metadata }) => metadata.name === name) ?? pods.find((pod) => workloadOf(pod) === name);
}

interface ServiceObject {
  readonly spec: {
    readonly selector?: Readonly<Record<string, string>>;
    readonly ports?: readonly { readonly port: number; readonly targetPort?: number | string }[];
  };
}

function serviceNamed(cluster: Cluster, namespace: string, name: string): Promise<ServiceObject | undefined> {
  return cluster.read<ServiceObject>(`/api/v1/namespaces/${namespace}/services/${name}`);
}

/** Where a Service's port leads in the pod: policy is about that one. */
function targetPort(
  service: ServiceObject | undefined,
  asked: number | undefined,
  { spec }: ClusterPod,
): number | undefined {
  const ports = service?.spec.ports ?? [];
  const chosen =
    asked === undefined && ports.length === 1 ? ports[0] : ports.find(({ port }) => port === asked);
  if (chosen === undefined) return undefined;
  const { port, targetPort = port } = chosen;
  if (typeof targetPort === 'number') return targetPort;
  return spec.containers.flatMap(({ ports = [] }) => ports).find(({ name }) => name === targetPort)
    ?.containerPort;
}

function onlyPort({ spec }: ClusterPod, place: string): number {
  const ports = spec.containers
    .flatMap(({ ports = [] }) => ports)
    .flatMap(({ containerPort, protocol = 'TCP' }) =>
      containerPort === undefined || protocol !== 'TCP' ? [] : [containerPort],
    );
  const [only, ...more] = new Set(ports);
  if (only !== undefined && more.length === 0) return only;
  const known = only === undefined ? 'its pod names none' : `its pod names ${[only, ...more].join(', ')}`;
  throw new UsageError(`Say which port: ${place}:PORT (${known}).`);
}
