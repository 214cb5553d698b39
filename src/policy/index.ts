/** The door of policy: who may call whom, and over what. Addresses and networks are here for whoever else matches them. */
export { compilePolicySet, type PolicySet } from './compile/policy-set.ts';
export { customResourceDefinitions } from './crd/custom-resource.ts';
export { formatProblem, type PolicyProblem } from './crd/problem.ts';
export { sayYamlFault } from './crd/yaml-fault.ts';
export type { ConnectionFacts, Decision, PolicySource, Workload } from './decision.ts';
export { evaluate } from './evaluate.ts';
export { formatAddress, parseAddress } from './match/address.ts';
export { type Cidr, contains, parseCidr } from './match/cidr.ts';
export {
  API_VERSION,
  EMBEDDED_DEFAULTS,
  type PolicyContext,
  type PolicyDefaults,
  type PolicyDocument,
} from './model.ts';
export { readPolicies } from './read-policies.ts';
export { POLICY_REASONS } from './reasons.ts';
export {
  hashOf,
  keyOf,
  type PolicyObject,
  type ReadObject,
  readObject,
  readText,
  type ToldObject,
} from './told/object.ts';
export { type Circumstances, compileFor, documentsFor, nothingTold, versionOf } from './told/share.ts';
export { type TlsModeDecision, tlsMode } from './tls-mode.ts';
export { PolicyLoadError } from './watch/policy-watcher.ts';
export { type WatchedPolicies, watchPolicies } from './watch/watch-policies.ts';
