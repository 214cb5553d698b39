/** The door of the controller: the program that gives a cluster's pods their certificates and tells them of each other. */
export { Controller, type ControllerSettings } from './controller.ts';
export { apiObjects } from './discovery/index.ts';
export type { InjectionConfig } from './injection/settings.ts';
export { kubernetesApi } from './kubernetes/api.ts';
export { kubeConfig } from './kubernetes/kube-config.ts';
export { SecretDocument } from './kubernetes/secret-document.ts';
