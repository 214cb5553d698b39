import { KubeConfig } from '@kubernetes/client-node';

/** In a pod its ServiceAccount; elsewhere KUBECONFIG or ~/.kube/config, with `context` if it is given. */
export function kubeConfig(context?: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromDefault();
  if (context !== undefined) config.setCurrentContext(context);
  return config;
}
