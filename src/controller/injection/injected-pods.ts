import { type KubernetesApi, statusText } from '../kubernetes/api.ts';
import { SIDECAR } from './names.ts';
import type { Container } from './pod.ts';

/** A pod that lives with a sidecar of ours. */
export interface InjectedPod {
  readonly namespace: string;
  readonly name: string;
  readonly image: string;
}

const PAGE = 500;

/** All pods whose sidecar depends on the controller of this namespace, and that have not ended. Rejects if they can't be listed. */
export async function injectedPods(
  api: KubernetesApi,
  controllerNamespace: string,
): Promise<readonly InjectedPod[]> {
  const found: InjectedPod[] = [];
  let next = '';
  do {
    const from = next === '' ? '' : `&continue=${encodeURIComponent(next)}`;
    const answer = await api.send('GET', `/api/v1/pods?limit=${PAGE}${from}`);
    if (answer.status !== 200) throw new Error(`pods can't be listed: ${statusText(answer)}`);
    const { items, metadata } = answer.body as {
      items?: readonly ListedPod[];
      metadata?: { continue?: string };
    };
    found.push(...(items ?? []).flatMap((pod) => injectedPod(pod, controllerNamespace)));
    next = metadata?.continue ?? '';
  } while (next !== '');
  return found;
}

interface ListedPod {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: { readonly initContainers?: readonly (Container & { readonly image?: string })[] };
  readonly status?: { readonly phase?: string };
}

function injectedPod({ metadata, spec, status }: ListedPod, controllerNamespace: string): InjectedPod[] {
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return [];
  if (spec === undefined || injectedController(spec) !== controllerNamespace) return [];
  const sidecar = spec.initContainers?.find(({ name }) => name === SIDECAR);
  return [{ namespace: metadata.namespace ?? '', name: metadata.name, image: sidecar?.image ?? '' }];
}

/** The namespace of the controller on which the sidecar of a pod depends; undefined: it has none of ours. */
export function injectedController({
  initContainers,
}: {
  readonly initContainers?: readonly Pick<Container, 'name' | 'env'>[];
}): string | undefined {
  const sidecar = initContainers?.find(({ name }) => name === SIDECAR);
  try {
    const text = sidecar?.env?.find(({ name }) => name === 'SALLYPORT_CONFIG')?.value ?? '{}';
    return (JSON.parse(text) as { controller?: { namespace?: string } } | null)?.controller?.namespace;
  } catch {
    return undefined;
  }
}
