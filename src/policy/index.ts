/** The door of policy: who may call whom, and over what. */
export { compilePolicySet, type PolicyPath, type PolicySet } from './compile/policy-set.ts';
export type { ConnectionFacts, Decision, Edit, PolicySource, ShadowOutcome, Workload } from './decision.ts';
export { evaluate } from './evaluate.ts';
export { EMBEDDED_DEFAULTS, type PolicyContext, type PolicyDefaults, type TlsMode } from './model.ts';
export { POLICY_REASONS } from './reasons.ts';
export { type TlsModeDecision, tlsMode } from './tls-mode.ts';
