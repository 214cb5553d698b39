/** The door to Kubernetes' API, for whoever needs no controller: the CLI against a kubeconfig. */
export { type ApiAnswer, ApiUnavailable, type KubernetesApi, kubernetesApi, statusText } from './api.ts';
export { kubeConfig } from './kube-config.ts';
export { openPodPort, PodPortError } from './pod-port.ts';
