/** Fakes of what the controller lives on. */
export { kubeConfigFor, TestApiServer, type TestObject } from './api-server.ts';
export { FakeKubernetes } from './fake-kubernetes.ts';
