import type { Reason } from '#handshake';
import { printable } from '#runtime';
import type { CompiledPolicy, PolicySet, Selection } from './compile/policy-set.ts';
import type { ConnectionFacts, Decision, PolicySource, ShadowOutcome } from './decision.ts';
import { explainAllowed, explainDenied, explainPlaintextRefused, explainUnmatched } from './explain.ts';
import { testRule } from './match/rule.ts';
import { Subject } from './match/subject.ts';
import { UNKNOWN, type Verdict, YES } from './match/verdict.ts';
import { POLICY_REASONS } from './reasons.ts';
import { tlsMode } from './tls-mode.ts';

/**
 * Decides one connection. Pure. In this order:
 * 1. plaintext where the port's mode is Strict is refused (the listener refuses it earlier; this is the second lock);
 * 2. a Deny that matches, or that cannot be ruled out, wins;
 * 3. an Allow that matches lets in;
 * 4. where no Allow selects the workload, the default speaks;
 * 5. else denied.
 */
export function evaluate(set: PolicySet, facts: ConnectionFacts): Decision {
  const subject = new Subject(facts);
  const selection = set.select(facts.workload);
  const enforced = decide(set, selection, subject);
  const { shadow, allowedIfShadowEnforced } = shadowOutcomes(set, selection, subject, enforced);
  return {
    allowed: enforced.allowed,
    reason: enforced.reason,
    policy: enforced.policy,
    rule: enforced.rule,
    // Whole, however long: its end says what to do.
    explanation: printable(enforced.explanation, enforced.explanation.length),
    edit: enforced.edit,
    shadow,
    allowedIfShadowEnforced,
    epoch: set.epoch,
  };
}

type Enforced = Pick<Decision, 'allowed' | 'reason' | 'policy' | 'rule' | 'explanation' | 'edit'>;

function decide(set: PolicySet, selection: Selection, subject: Subject): Enforced {
  const { peer, workload, port } = subject.facts;
  if (peer === undefined) {
    const { mode, source } = tlsMode(set, workload, port);
    if (mode === 'Strict') {
      return denied(
        POLICY_REASONS['plaintext-refused'],
        source,
        undefined,
        explainPlaintextRefused(subject, source),
      );
    }
  }
  const denial = strongest(selection.denies, subject);
  if (denial !== undefined) {
    const { policy, rule, verdict } = denial;
    const reason = POLICY_REASONS[verdict === YES ? 'denied-by-policy' : 'denial-not-ruled-out'];
    return denied(reason, policy.source, rule, explainDenied(subject, policy, rule, verdict));
  }
  const permission = strongest(selection.allows, subject);
  if (permission?.verdict === YES) {
    const { policy, rule } = permission;
    const explanation = explainAllowed(policy.source, rule);
    return allowed(POLICY_REASONS['allowed-by-policy'], policy.source, rule, explanation);
  }
  if (defaultAllows(set, selection.allows.length)) {
    const reason = POLICY_REASONS[peer === undefined ? 'plaintext-allowed-by-default' : 'allowed-by-default'];
    return allowed(reason, undefined, undefined, reason.say);
  }
  const { reason, source, rule, ...words } = explainUnmatched(set, selection, subject);
  return denied(reason, source, rule, words);
}

function allowed(
  reason: Reason,
  policy: PolicySource | undefined,
  rule: number | undefined,
  explanation: string,
): Enforced {
  return { allowed: true, reason, policy, rule, explanation, edit: undefined };
}

function denied(
  reason: Reason,
  policy: PolicySource | undefined,
  rule: number | undefined,
  { explanation, edit }: Pick<Decision, 'explanation' | 'edit'>,
): Enforced {
  return { allowed: false, reason, policy, rule, explanation, edit };
}

/** Only asked once plaintext under Strict has been refused, so `AllowAuthenticated` here admits what the mode admits. */
function defaultAllows({ context }: PolicySet, allows: number): boolean {
  return allows === 0 && context.defaults.unselected === 'AllowAuthenticated';
}

interface Match {
  readonly policy: CompiledPolicy;
  readonly rule: number;
  readonly verdict: Verdict;
}

/** The first rule that answers YES; if none does, the first that answers UNKNOWN. */
function strongest(policies: readonly CompiledPolicy[], subject: Subject): Match | undefined {
  let unknown: Match | undefined;
  for (const policy of policies) {
    for (const [rule, compiled] of policy.rules.entries()) {
      const verdict = testRule(compiled, subject);
      if (verdict === YES) return { policy, rule, verdict };
      if (verdict === UNKNOWN) unknown ??= { policy, rule, verdict };
    }
  }
  return unknown;
}

const NO_SHADOW: readonly ShadowOutcome[] = Object.freeze([]);

/** Asks each Shadow policy what enforcing it alone would have decided, and what enforcing all of them would have. */
function shadowOutcomes(
  set: PolicySet,
  selection: Selection,
  subject: Subject,
  enforced: Enforced,
): Pick<Decision, 'shadow' | 'allowedIfShadowEnforced'> {
  if (selection.shadows.length === 0) return { shadow: NO_SHADOW, allowedIfShadowEnforced: enforced.allowed };
  const refused = REFUSED_BEFORE_ALLOWS.has(enforced.reason);
  const matchedAllow = strongest(selection.allows, subject)?.verdict === YES;
  const judge = (
    shadows: readonly { readonly policy: CompiledPolicy; readonly match: Match | undefined }[],
  ): boolean => {
    const allows = shadows.filter(({ policy }) => policy.document.spec.action === 'Allow');
    const stopped = shadows.some(
      ({ policy, match }) => policy.document.spec.action === 'Deny' && match !== undefined,
    );
    if (refused || stopped) return false;
    if (matchedAllow || allows.some(({ match }) => match?.verdict === YES)) return true;
    return defaultAllows(set, selection.allows.length + allows.length);
  };
  const asked = selection.shadows.map((policy) => ({ policy, match: strongest([policy], subject) }));
  const shadow = asked.map((one): ShadowOutcome => {
    const allowed = judge([one]);
    const counts =
      one.match !== undefined && (one.match.verdict === YES || one.policy.document.spec.action === 'Deny');
    return {
      policy: one.policy.source,
      rule: counts ? one.match?.rule : undefined,
      outcome: allowed ? 'would-allow' : 'would-deny',
      changes: allowed !== enforced.allowed,
    };
  });
  return { shadow, allowedIfShadowEnforced: judge(asked) };
}

/** Refusals which no further Allow could lift. */
const REFUSED_BEFORE_ALLOWS: ReadonlySet<Reason> = new Set<Reason>([
  POLICY_REASONS['plaintext-refused'],
  POLICY_REASONS['denied-by-policy'],
  POLICY_REASONS['denial-not-ruled-out'],
]);
