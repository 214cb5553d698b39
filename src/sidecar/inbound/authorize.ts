import { TlsError } from '#handshake';
import type { SpiffePeer } from '#identity';
import { type ConnectionFacts, type Decision, evaluate, type PolicySet, type PolicySource } from '#policy';
import { err, ok, type Result } from '#runtime';
import type { InboundParts } from '../parts.ts';
import { SIDECAR_REASONS } from '../reason.ts';
import type { Accepted } from './accept.ts';
import type { Caller } from './tls.ts';

/**
 * The proof that policy lets a connection pass. Dialling the application takes one as its argument, and only `decide`
 * makes one, so that no byte reaches the application of a connection that was not decided.
 */
export class Permit {
  readonly decision: Decision;

  private constructor(decision: Decision) {
    this.decision = decision;
    Object.freeze(this);
  }

  /** Asks the policies; the error is the decision that denies. */
  static decide(set: PolicySet, facts: ConnectionFacts): Result<Permit, Decision> {
    const decision = evaluate(set, facts);
    return decision.allowed ? ok(new Permit(decision)) : err(decision);
  }
}

/** What policies are asked about; without `peer` the caller is nobody. */
export function factsOf(
  { connection, target }: Accepted,
  { workload }: InboundParts['config'],
  peer?: SpiffePeer,
): ConnectionFacts {
  return { peer: peer?.spiffeId, address: connection.start.from.host, port: target.port, workload };
}

/** Step 4: a caller that may pass, with the proof of it. */
export interface Authorized extends Caller {
  readonly permit: Permit;
}

/** Decides by the policies of this moment. Throws TlsError with the policy's reason if they deny it. */
export function authorize(caller: Caller, parts: InboundParts): Authorized {
  const { connection, handshake } = caller;
  const { config } = parts;
  if (config.policies.value.epoch === 0) {
    handshake?.refused(SIDECAR_REASONS['no-policies'], '');
    throw new TlsError(SIDECAR_REASONS['no-policies']);
  }
  const facts = factsOf(caller, config, caller.peer);
  const decided = Permit.decide(config.policies.value, facts);
  // At once, before anybody is told: from here on a change of policy is asked about this connection too.
  if (decided.ok)
    connection.authorization = { permit: decided.value, again: (set) => Permit.decide(set, facts) };
  const decision = decided.ok ? decided.value.decision : decided.error;
  count(decision, caller, parts);
  config.onDecision?.(decision, facts);
  const policy = policyName(decision.policy);
  const wouldDeny = wouldDenyOf(decision);
  connection.learned({ policy, ...(wouldDeny.length === 0 ? {} : { wouldDeny }) });
  if (!decided.ok) {
    // Before the stream is told, whose own failure would be recorded in its place.
    handshake?.refused(decision.reason, decision.explanation, policy);
    throw new TlsError(decision.reason, decision.explanation);
  }
  handshake?.permitted(policy, wouldDeny);
  return { ...caller, permit: decided.value };
}

function count(decision: Decision, caller: Caller, { config, plaintextPeers }: InboundParts): void {
  const { service, telemetry } = config;
  const { allowed, policy, rule, shadow } = decision;
  telemetry.decision({ service, policy: policyName(policy), rule, allowed, enforcement: 'enforce' });
  for (const { policy, rule, outcome } of shadow) {
    const wouldAllow = outcome === 'would-allow';
    telemetry.decision({
      service,
      policy: policyName(policy),
      rule,
      allowed: wouldAllow,
      enforcement: 'shadow',
    });
  }
  if (caller.carriage === 'plaintext') {
    telemetry.plaintext(service, caller.mode, allowed ? 'passed' : 'refused');
    plaintextPeers.count(caller.connection.start.from.host, allowed);
  }
}

/** What a record and a line of the log name. */
const MOST_NAMED = 8;

/** Shadow policies that would have refused what is permitted. */
function wouldDenyOf({ shadow }: Decision): readonly string[] {
  return shadow
    .filter(({ changes, outcome }) => changes && outcome === 'would-deny')
    .slice(0, MOST_NAMED)
    .map(({ policy, rule }) => `${policyName(policy) ?? ''}${rule === undefined ? '' : ` rule ${rule}`}`);
}

/** `namespace/name`, as metrics and logs show it; file and line are in the decision's explanation. */
export function policyName(policy: PolicySource | undefined): string | undefined {
  return policy === undefined ? undefined : `${policy.namespace}/${policy.name}`;
}
