/** Fakes of what the controller lives on. */
export { kubeConfigFor, TestApiServer, type TestObject } from './api-server.ts';
export { FakeKubernetes } from './fake-kubernetes.ts';
/** Attestation as the controller has it, without the rest of it: benchmarks put fakes around it. */
export { KubernetesAttestor } from '../issuance/attestor.ts';
export { Pods } from '../issuance/pods.ts';
export { TokenLeases } from '../issuance/token-leases.ts';
