import { statusText } from '#controller/kubernetes';
import { UsageError } from '../usage-error.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { apiPathOf } from '../cluster/manifest-paths.ts';
import { INSTALLED_NAMESPACE, type InstalledObject } from './manifests.ts';

const MANAGER = 'sallyport';

/** Where the API keeps one object. */
export function pathOf({ kind, metadata }: InstalledObject): string {
  const { group, version, resource, namespaced } = apiPathOf(kind);
  const base = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const place = namespaced ? `/namespaces/${metadata.namespace ?? INSTALLED_NAMESPACE}` : '';
  return `${base}${place}/${resource}/${metadata.name}`;
}

/** Makes it, or brings it to what it should be; fields that others wrote and that we don't name stay (server-side apply). */
export async function applyObject(cluster: Cluster, object: InstalledObject): Promise<void> {
  const path = pathOf(object);
  const answer = await cluster.send('PATCH', `${path}?fieldManager=${MANAGER}&force=true`, object);
  if (answer.status === 200 || answer.status === 201) return;
  throw new UsageError(`${object.kind} ${object.metadata.name} is not taken: ${statusText(answer)}`);
}

/** False: it was not there. */
export async function deleteObject(cluster: Cluster, object: InstalledObject): Promise<boolean> {
  const answer = await cluster.send('DELETE', pathOf(object));
  if (answer.status === 200 || answer.status === 202) return true;
  if (answer.status === 404) return false;
  throw new UsageError(`${object.kind} ${object.metadata.name} can't be deleted: ${statusText(answer)}`);
}
