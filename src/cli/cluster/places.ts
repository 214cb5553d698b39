import { PodPortError } from '#controller/kubernetes';
import { UsageError } from '../usage-error.ts';
import type { Cluster, PodName } from './cluster.ts';
import { type Installation, installationOf } from './installation.ts';
import { sayForbidden } from './trouble.ts';
import { forEach, livingPods, type SidecarPod, sidecarsOf } from './sidecars.ts';

const ADMIN_PORT = 15_000;
const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** `NAMESPACE` or `NAMESPACE/NAME`. Throws a UsageError for what is neither. */
export function parsePlace(text: string): { readonly namespace: string; readonly name: string | undefined } {
  const [namespace = '', name, ...more] = text.split('/');
  if (more.length > 0 || !NAME.test(namespace) || (name !== undefined && !NAME.test(name)))
    throw new UsageError(`${text}: write NAMESPACE or NAMESPACE/NAME, such as shop or shop/web.`);
  return { namespace, name };
}

/** The sidecars that places mean: of a namespace, a pod or a workload; all of the mesh where none is named. */
export async function sidecarsAt(
  cluster: Cluster,
  places: readonly string[],
): Promise<{ readonly installation: Installation; readonly sidecars: readonly SidecarPod[] }> {
  const wanted = places.map(parsePlace);
  const installation = await installationOf(cluster);
  const namespaces = new Set(wanted.map(({ namespace }) => namespace));
  const pods =
    wanted.length === 0
      ? await livingPods(cluster)
      : (await Promise.all([...namespaces].map((namespace) => livingPods(cluster, namespace)))).flat();
  const all = sidecarsOf(pods, installation.namespace);
  if (wanted.length === 0) return { installation, sidecars: all };
  const found = wanted.map(({ namespace, name }, index) => {
    const here = all.filter(
      (each) =>
        each.namespace === namespace && (name === undefined || each.name === name || each.workload === name),
    );
    if (here.length > 0) return here;
    const there = pods.some(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
    const what = there
      ? `Pod ${places[index]} has no sidecar of this mesh`
      : `There is no sidecar at ${places[index]}`;
    throw new UsageError(`${what}: sallyport injected lists the pods that have one.`);
  });
  return { installation, sidecars: [...new Set(found.flat())] };
}

/** What a sidecar said of itself, or why it said nothing. */
export interface Told<T> {
  readonly sidecar: SidecarPod;
  readonly answer: T | undefined;
  /** Undefined where there is an answer. */
  readonly problem: string | undefined;
}

/** Asks the admin port of each. Rejects with a UsageError where the user may not forward ports at all. */
export function askSidecars<T>(
  cluster: Cluster,
  sidecars: readonly SidecarPod[],
  path: string,
): Promise<readonly Told<T>[]> {
  return forEach(sidecars, async (sidecar) => {
    const told = await askAdmin<T>(cluster, sidecar, path);
    return typeof told === 'string'
      ? { sidecar, answer: undefined, problem: told }
      : { sidecar, answer: told.value, problem: undefined };
  });
}

async function askAdmin<T>(
  cluster: Cluster,
  pod: PodName,
  path: string,
): Promise<{ readonly value: T } | string> {
  try {
    const { status, text } = await cluster.ask(pod, ADMIN_PORT, path);
    if (status !== 200) return `it answered ${status}: ${text.trim()}`;
    return { value: JSON.parse(text) as T };
  } catch (error) {
    if (error instanceof PodPortError && error.status === 403)
      throw new UsageError(
        sayForbidden(cluster, 'create of pods/portforward, by which sidecars are reached'),
      );
    if (error instanceof PodPortError) return error.message;
    if (error instanceof SyntaxError) return 'its answer is no JSON; is it of another version?';
    throw error;
  }
}
