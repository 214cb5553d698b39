import { kubeConfig, kubernetesApi } from '#controller';
import { injectedPods } from '#controller/injection';
import { printableLines } from '../view/printable.ts';

export interface InjectedOptions {
  /** Where the controller runs. */
  readonly namespace: string;
  readonly context: string | undefined;
  /** Fails if there are any: before an uninstall. */
  readonly none: boolean;
}

const SHOWN = 20;

/** `sallyport injected`: the pods whose sidecars depend on a controller. With `none` 1 if there are some, and what to do. */
export async function injected({ namespace, context, none }: InjectedOptions): Promise<number> {
  const pods = await injectedPods(kubernetesApi(kubeConfig(context)), namespace);
  const shown = none ? pods.slice(0, SHOWN) : pods;
  const lines = shown.map((pod) => `${pod.namespace}/${pod.name}  ${pod.image}`);
  if (pods.length > shown.length) lines.push(`and ${pods.length - shown.length} more`);
  if (pods.length === 0) lines.push('No pod has a sidecar of this mesh.');
  process.stdout.write(`${printableLines(lines.join('\n'))}\n`);
  if (!none || pods.length === 0) return 0;
  process.stdout.write(HOW_TO_GO_ON);
  return 1;
}

const HOW_TO_GO_ON = `
These pods have a sidecar that depends on this controller: without it they can't renew their certificates, and lose their
connections within hours. Take the label mesh.sallyport.dev/inject from their namespaces and from their pod templates, make
them anew (kubectl rollout restart), and try again. To remove the mesh under them nonetheless: helm uninstall --no-hooks.
`;
