import { kubeConfig } from '#controller/kubernetes';
import { UsageError } from '../usage-error.ts';

/** What the client falls back to when it finds no file. */
const NOWHERE = 'http://localhost:8080';

/** The kubeconfig with its context chosen. Throws a UsageError that says what is wrong with it. */
export function chosenConfig(context: string | undefined): ReturnType<typeof kubeConfig> {
  const config = read();
  if (config.getCurrentCluster()?.server === NOWHERE && config.getCurrentContext() === 'loaded-context') {
    throw new UsageError(
      'There is no kubeconfig: neither KUBECONFIG nor ~/.kube/config names a cluster. Whoever runs the cluster has one ' +
        '(kind get kubeconfig, or the console of its provider).',
    );
  }
  const names = config.getContexts().map(({ name }) => name);
  const chosen = context ?? config.getCurrentContext();
  if (context !== undefined) config.setCurrentContext(context);
  if (!names.includes(chosen)) {
    const what = chosen ? `has no context ${chosen}` : 'has no current context';
    throw new UsageError(
      `The kubeconfig ${what}; name one with --context: ${names.join(', ') || 'it has none'}`,
    );
  }
  if (config.getCurrentCluster() === null) {
    throw new UsageError(
      `The kubeconfig says of context ${chosen} no cluster that it knows. Look at \`kubectl config view\`.`,
    );
  }
  return config;
}

/** Whether there is a kubeconfig that names a cluster. */
export function hasKubeconfig(): boolean {
  try {
    chosenConfig(undefined);
    return true;
  } catch (error) {
    if (error instanceof UsageError) return false;
    throw error;
  }
}

function read(): ReturnType<typeof kubeConfig> {
  try {
    return kubeConfig();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`The kubeconfig can't be read: ${why}. Look at KUBECONFIG, or at ~/.kube/config.`);
  }
}
