import type { Reason } from '#handshake';
import type { SpiffeId } from '#identity';

/** The workload that is called: the pod, or in an embedded mesh the local service, behind this sidecar. */
export interface Workload {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What is known of one connection when it is decided. Treated as immutable; a workload's selection is remembered by object. */
export interface ConnectionFacts {
  /** The verified identity of the caller; undefined for plaintext. */
  readonly peer: SpiffeId | undefined;
  /** The caller's labels where discovery knows them. Absent means unknown, which is not the same as none. */
  readonly peerLabels?: Readonly<Record<string, string>>;
  /** The caller's IP address as text, IPv4, IPv6 or IPv4-mapped IPv6. */
  readonly address: string;
  /** The port of the workload that is called. */
  readonly port: number;
  readonly workload: Workload;
}

/** Where a policy stands: `file` as it was named to `watchPolicies`, `line` of the document's `metadata.name`, from 1. */
export interface PolicySource {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly file: string;
  readonly line: number;
}

/** What one Shadow policy that selects the workload would have done. It never changes the decision. */
export interface ShadowOutcome {
  readonly policy: PolicySource;
  /** The index of its rule that matched; undefined when none did. */
  readonly rule: number | undefined;
  /** The decision if this policy alone changed from Shadow to Enforce. */
  readonly outcome: 'would-allow' | 'would-deny';
  /** True when that differs from the decision that was made. */
  readonly changes: boolean;
}

/** The one change to a file that would let this connection pass. */
export interface Edit {
  readonly file: string;
  /** Of the list to change (`from:`, `ports:`, `rules:`), from 1; undefined when a document or file is to be added. */
  readonly line: number | undefined;
  readonly action: 'add-caller' | 'add-port' | 'add-policy' | 'remove-denial';
  /** One sentence that says what to do there. */
  readonly say: string;
  /** YAML to paste below `line` (its indentation fits) or as `say` tells; a whole document for `add-policy`; '' if nothing is to be pasted. */
  readonly snippet: string;
}

export interface Decision {
  readonly allowed: boolean;
  /** A row of POLICY_REASONS. */
  readonly reason: Reason;
  /** The policy that decided, or for `no-policy-allows` and `no-identity` the Allow that came nearest, if any selects the workload. */
  readonly policy: PolicySource | undefined;
  /** The index of the rule of `policy` that decided or came nearest. */
  readonly rule: number | undefined;
  /** A sentence for an operator; for a denial it names the condition that failed and the file and line. */
  readonly explanation: string;
  /** What to edit; undefined when the connection is allowed or no edit of policy would help. */
  readonly edit: Edit | undefined;
  /** One entry for each Shadow policy that selects the workload. */
  readonly shadow: readonly ShadowOutcome[];
  /** The decision if every Shadow policy were enforced at once; the same as `allowed` where there is none. */
  readonly allowedIfShadowEnforced: boolean;
  /** Of the set that decided. */
  readonly epoch: number;
}
