import { injectedController, serviceNameOf } from '#controller/injection';
import type { Cluster } from './cluster.ts';

/** What is read of a pod. */
export interface ClusterPod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly spec: {
    readonly serviceAccountName?: string;
    readonly hostNetwork?: boolean;
    readonly containers: readonly PodContainer[];
    readonly initContainers?: readonly PodContainer[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly podIPs?: readonly { readonly ip: string }[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

export interface PodContainer {
  readonly name: string;
  readonly image?: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name?: string; readonly value?: string }[];
  readonly ports?: readonly {
    readonly name?: string;
    readonly containerPort?: number;
    readonly protocol?: string;
  }[];
}

interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount?: number;
  readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
}

/** A pod that lives, with a sidecar of one controller. */
export interface SidecarPod {
  readonly namespace: string;
  readonly name: string;
  /** What people call its workload. */
  readonly workload: string;
  readonly ready: boolean;
  /** Why it waits, as the kubelet says; empty if it doesn't. */
  readonly waits: string;
  /** By which version it was injected. */
  readonly version: string;
  readonly pod: ClusterPod;
}

const INJECTED = 'mesh.sallyport.dev/injected';

/** Every pod that has not ended. */
export async function livingPods(cluster: Cluster, namespace?: string): Promise<readonly ClusterPod[]> {
  const path = namespace === undefined ? '/api/v1/pods' : `/api/v1/namespaces/${namespace}/pods`;
  const pods = await cluster.list<ClusterPod>(path);
  return pods.filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed');
}

/** Those of them that have a sidecar of the controller in a namespace. */
export function sidecarsOf(pods: readonly ClusterPod[], controllerNamespace: string): SidecarPod[] {
  return pods.flatMap((pod) => {
    const { metadata, spec, status } = pod;
    if (injectedController(spec) !== controllerNamespace) return [];
    const state = status?.initContainerStatuses?.find(({ name }) => name === 'sallyport');
    const { reason = '', message = '' } = state?.state?.waiting ?? {};
    return [
      {
        namespace: metadata.namespace,
        name: metadata.name,
        workload: workloadOf(pod),
        ready: state?.ready === true,
        waits: [reason, message].filter((text) => text !== '').join(': '),
        version: metadata.annotations?.[INJECTED] ?? '',
        pod,
      },
    ];
  });
}

export function workloadOf(pod: ClusterPod): string {
  return serviceNameOf(pod) ?? pod.spec.serviceAccountName ?? 'default';
}

const AT_ONCE = 8;

/** What `ask` resolves with for each, in order, some at a time: a cluster has more pods than an API server likes streams. */
export async function forEach<T, R>(all: readonly T[], ask: (one: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < all.length) {
      const index = next;
      next += 1;
      answers[index] = await ask(all[index] as T);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, all.length) }, work));
  return answers;
}
