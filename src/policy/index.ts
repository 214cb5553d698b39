/** The door of policy: who may call whom, and over what. */
export type { PolicySet } from './compile/policy-set.ts';
export { formatProblem, type PolicyProblem } from './crd/problem.ts';
export type { ConnectionFacts, Decision, Edit, PolicySource, ShadowOutcome, Workload } from './decision.ts';
export { evaluate } from './evaluate.ts';
export { EMBEDDED_DEFAULTS, type PolicyContext, type PolicyDefaults, type TlsMode } from './model.ts';
export { type PolicyFile, type ReadPolicies, readPolicies } from './read-policies.ts';
export { POLICY_REASONS } from './reasons.ts';
export { type TlsModeDecision, tlsMode } from './tls-mode.ts';
export { PolicyLoadError } from './watch/policy-watcher.ts';
export { type WatchedPolicies, type WatchPoliciesConfig, watchPolicies } from './watch/watch-policies.ts';
