import { err, ok, type Result } from '#runtime';
import type { Cluster } from '../cluster/cluster.ts';
import { findInstallation, type Installation } from '../cluster/installation.ts';
import { readMetrics, type Samples } from '../cluster/metrics.ts';
import { type MeshObject, meshObjects } from '../cluster/policies.ts';
import { type ClusterPod, livingPods } from '../cluster/sidecars.ts';
import { UsageError } from '../usage-error.ts';

/** What was read for one check, or why it could not be. */
export type Fact<T> = Result<T, string>;

export interface NamespaceObject {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
}

export interface WebhookObject {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly webhooks?: readonly {
    readonly name: string;
    readonly failurePolicy?: string;
    readonly clientConfig?: { readonly caBundle?: string };
  }[];
}

export interface CrdObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** All that the checks look at, read once. */
export interface Facts {
  readonly version: Fact<{ readonly major: string; readonly minor: string; readonly gitVersion: string }>;
  readonly installation: Fact<Installation | undefined>;
  readonly crds: Fact<readonly { readonly name: string; readonly crd: CrdObject | undefined }[]>;
  readonly webhooks: Fact<readonly WebhookObject[]>;
  readonly guard: Fact<boolean>;
  readonly namespaces: Fact<readonly NamespaceObject[]>;
  /** Namespaces that have the roots. */
  readonly trusted: Fact<ReadonlySet<string>>;
  readonly pods: Fact<readonly ClusterPod[]>;
  /** Of a ready replica of the controller. */
  readonly metrics: Fact<Samples>;
  readonly objects: Fact<readonly MeshObject[]>;
}

export const CRDS = ['meshpolicies.mesh.sallyport.dev', 'meshtlses.mesh.sallyport.dev'];
const STATUS_PORT = 15_014;

/** Reads them. Rejects only where the cluster gives no answer at all, or doesn't know who asks. */
export async function gatherFacts(cluster: Cluster): Promise<Facts> {
  const version = await cluster.read<{ major: string; minor: string; gitVersion: string }>('/version');
  const installation = await fact(findInstallation(cluster));
  const pods = await fact(livingPods(cluster));
  const installed = installation.ok ? installation.value : undefined;
  return {
    version: version === undefined ? err('it tells no version') : ok(version),
    installation,
    crds: await fact(
      Promise.all(
        CRDS.map(async (name) => {
          const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;
          return { name, crd: await cluster.read<CrdObject>(path) };
        }),
      ),
    ),
    webhooks: await fact(
      cluster.list<WebhookObject>('/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations'),
    ),
    guard: await fact(guardOf(cluster, installed)),
    namespaces: await fact(cluster.list<NamespaceObject>('/api/v1/namespaces')),
    trusted: await fact(trustedNamespaces(cluster, installed)),
    pods,
    metrics: installed === undefined ? err('there is no controller') : await metricsOf(cluster, installed),
    objects: await fact(meshObjects(cluster)),
  };
}

async function fact<T>(reading: Promise<T>): Promise<Fact<T>> {
  try {
    return ok(await reading);
  } catch (error) {
    if (error instanceof UsageError) return err(error.message);
    throw error;
  }
}

async function guardOf(cluster: Cluster, installed: Installation | undefined): Promise<boolean> {
  const name = installed?.settings.injection?.configuration ?? 'sallyport';
  const base = '/apis/admissionregistration.k8s.io/v1';
  const policy = await cluster.read(`${base}/validatingadmissionpolicies/${name}-guard`);
  const binding = await cluster.read(`${base}/validatingadmissionpolicybindings/${name}-guard`);
  return policy !== undefined && binding !== undefined;
}

async function trustedNamespaces(
  cluster: Cluster,
  installed: Installation | undefined,
): Promise<ReadonlySet<string>> {
  if (installed === undefined) return new Set();
  const name = installed.settings.names.trustBundle;
  const maps = await cluster.list<{ metadata: { name: string; namespace: string } }>(
    '/api/v1/configmaps',
    TRUST_LABEL,
  );
  return new Set(maps.flatMap(({ metadata }) => (metadata.name === name ? [metadata.namespace] : [])));
}

/** As the controller marks what it makes, so that others' ConfigMaps aren't read. */
const TRUST_LABEL = 'app.kubernetes.io/managed-by=sallyport';

/** The answer of the first replica that gives one: each vouches for the authority that all share. */
async function metricsOf(cluster: Cluster, { namespace, replicas }: Installation): Promise<Fact<Samples>> {
  if (replicas.ready === 0) return err('no replica of the controller is ready');
  const selector = 'app.kubernetes.io/name=sallyport,app.kubernetes.io/component=controller';
  let why = 'no replica of the controller is there';
  const pods = await fact(cluster.list<ClusterPod>(`/api/v1/namespaces/${namespace}/pods`, selector));
  if (!pods.ok) return pods;
  for (const { metadata } of pods.value) {
    try {
      const { status, text } = await cluster.ask(metadata, STATUS_PORT, '/metrics');
      if (status === 200) return ok(readMetrics(text));
      why = `${metadata.name} answered ${status}`;
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
    }
  }
  return err(why);
}
