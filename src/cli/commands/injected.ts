import { injectedPods } from '#controller/injection';
import { Cluster, type ClusterChoice } from '../cluster/cluster.ts';
import { printableLines } from '../view/printable.ts';

export interface InjectedOptions {
  readonly choice: ClusterChoice;
  /** Fails if there are any: before an uninstall. */
  readonly none: boolean;
}

/** `sallyport injected`: the pods whose sidecars depend on a controller. With `none` 1 if there are some, and what to do. */
export async function injected({ choice, none }: InjectedOptions): Promise<number> {
  const pods = await injectedPods(new Cluster(choice).api, choice.namespace);
  const names = pods.map((pod) => `${pod.namespace}/${pod.name}  ${pod.image}`);
  if (none && pods.length > 0) {
    sayInjected(names, 'helm uninstall --no-hooks');
    return 1;
  }
  process.stdout.write(`${printableLines(names.join('\n') || 'No pod has a sidecar of this mesh.')}\n`);
  return 0;
}

const SHOWN = 20;

/** The pods that keep a mesh from being taken away, what to do, and `force`, which takes it away nonetheless. */
export function sayInjected(names: readonly string[], force: string): void {
  const lines = names.slice(0, SHOWN);
  if (names.length > SHOWN) lines.push(`and ${names.length - SHOWN} more`);
  process.stdout.write(`${printableLines(lines.join('\n'))}\n${HOW_TO_GO_ON}${force}\n`);
}

const HOW_TO_GO_ON = `
These pods have a sidecar that depends on this controller: without it they can't renew their certificates, and lose their
connections within hours. Take the label mesh.sallyport.dev/inject from their namespaces and from their pod templates, make
them anew (kubectl rollout restart), and try again. To remove the mesh under them nonetheless: `;
