import type { ControllerSettings } from '#controller';
import manifest from '../../../package.json' with { type: 'json' };
import { parseControllerFile } from '../controller-file/controller-file.ts';
import { sayProblem } from '../mesh-file/problem.ts';
import { UsageError } from '../usage-error.ts';
import type { Cluster } from './cluster.ts';

/** A controller in a cluster, as its Deployment and its file say. */
export interface Installation {
  readonly namespace: string;
  /** Of the Deployment, its ConfigMap and its ServiceAccount. */
  readonly name: string;
  readonly image: string;
  /** Of the chart that installed it. */
  readonly version: string;
  /** The release, if Helm installed it. */
  readonly release: string | undefined;
  readonly replicas: { readonly wanted: number; readonly ready: number };
  readonly settings: ControllerSettings;
}

interface Deployment {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly replicas?: number;
    readonly template: { readonly spec: { readonly containers: readonly { readonly image?: string }[] } };
  };
  readonly status?: { readonly readyReplicas?: number };
}

const OURS = 'app.kubernetes.io/name=sallyport';

/** The controller in the namespace that was named; undefined: there is none. */
export async function findInstallation(cluster: Cluster): Promise<Installation | undefined> {
  const { namespace } = cluster;
  const [found] = await cluster.list<Deployment>(deploymentsOf(namespace), OURS);
  if (found === undefined) return undefined;
  const { metadata, spec, status } = found;
  const map = await cluster.read<{ data?: Readonly<Record<string, string>> }>(
    `/api/v1/namespaces/${namespace}/configmaps/${metadata.name}`,
  );
  const text = map?.data?.['controller.yaml'];
  if (text === undefined) {
    throw new UsageError(
      `ConfigMap ${namespace}/${metadata.name} has no controller.yaml, which the controller lives on. Install it again.`,
    );
  }
  const pod = { namespace, serviceAccount: metadata.name, pod: metadata.name };
  const parsed = parseControllerFile(`ConfigMap ${namespace}/${metadata.name}`, text, pod);
  if (!parsed.ok) {
    throw new UsageError(
      `The controller's file is not as this version, ${manifest.version}, reads it; is the mesh of another?\n${parsed.error.map(sayProblem).join('\n')}`,
    );
  }
  return {
    namespace,
    name: metadata.name,
    image: spec.template.spec.containers[0]?.image ?? '',
    version: metadata.labels?.['app.kubernetes.io/version'] ?? '',
    release: metadata.annotations?.['meta.helm.sh/release-name'],
    replicas: { wanted: spec.replicas ?? 1, ready: status?.readyReplicas ?? 0 },
    settings: parsed.value,
  };
}

/** The same where there must be one: a UsageError says how to get one, or where it is. */
export async function installationOf(cluster: Cluster): Promise<Installation> {
  const found = await findInstallation(cluster);
  if (found !== undefined) return found;
  const elsewhere = await cluster
    .list<Deployment>('/apis/apps/v1/deployments', OURS)
    .catch((error: unknown) => {
      // Who may not look there is told of the namespace that was named.
      if (error instanceof UsageError) return [];
      throw error;
    });
  const [other] = elsewhere;
  throw new UsageError(
    other === undefined
      ? `Sallyport is not installed in the cluster of context ${cluster.context}. Install it (sallyport install, or Helm: docs/kubernetes.md), or name another cluster with --context.`
      : `Sallyport is not in namespace ${cluster.namespace} but in ${other.metadata.namespace}: say -n ${other.metadata.namespace}.`,
  );
}

function deploymentsOf(namespace: string): string {
  return `/apis/apps/v1/namespaces/${namespace}/deployments`;
}
