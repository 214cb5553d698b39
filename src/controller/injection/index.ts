/** The door of injection: how a pod gets its sidecar, in the webhook and offline. */
export { injectedController, injectedPods } from './injected-pods.ts';
export { injectPod } from './inject-pod.ts';
export { INJECT_LABEL } from './names.ts';
export type { Pod } from './pod.ts';
export { INJECTION_REASONS } from './reasons.ts';
export { serviceNameOf } from './service-name.ts';
export type { InjectionSettings } from './settings.ts';
export { podTemplatePath } from './workloads.ts';
