import type { Reason } from '#handshake';
import type { CompiledPolicy, PolicySet, Selection } from './compile/policy-set.ts';
import type { Edit, PolicySource } from './decision.ts';
import { describeMiss, describePeer, describeWorkload } from './explain/describe.ts';
import { type Nearest, nearestAllow } from './explain/nearest.ts';
import { suggestEdit, suggestPolicy } from './explain/suggest.ts';
import { IDENTITY_FIELDS } from './match/condition.ts';
import type { Subject } from './match/subject.ts';
import { type Verdict, YES } from './match/verdict.ts';
import { IN_CLUSTER } from './model.ts';
import { POLICY_REASONS } from './reasons.ts';

interface Explanation {
  readonly explanation: string;
  readonly edit: Edit | undefined;
}

export function explainAllowed(source: PolicySource, rule: number): string {
  return `allowed by ${nameOf(source)} rule ${rule} (${placeOf(source)})`;
}

export function explainPlaintextRefused(subject: Subject, source: PolicySource | undefined): Explanation {
  const by = source === undefined ? 'by default' : `by ${nameOf(source)} (${placeOf(source)})`;
  const explanation = `${describeWorkload(subject.facts)} is Strict ${by}, and ${describePeer(subject.facts)} speaks plaintext`;
  return { explanation, edit: undefined };
}

/** A Deny that matched, or that could not be ruled out. */
export function explainDenied(
  subject: Subject,
  { source, rules }: CompiledPolicy,
  rule: number,
  verdict: Verdict,
): Explanation {
  const line = rules[rule]?.rule.place.from.line ?? source.line;
  const where = `${nameOf(source)} rule ${rule} (${placeOf({ file: source.file, line })})`;
  const who = `${describePeer(subject.facts)} to ${describeWorkload(subject.facts)}`;
  if (verdict === YES) {
    const say = 'Take the caller out of this "from" list.';
    const edit: Edit = { file: source.file, line, action: 'remove-denial', say, snippet: '' };
    return { explanation: `${where} denies ${who}`, edit };
  }
  const unknown =
    subject.facts.peer === undefined ? 'it has no identity' : 'what the rule asks about is not known of it';
  return { explanation: `${where} cannot be ruled out for ${who}: ${unknown}`, edit: undefined };
}

/** No Allow matched: which came nearest, the one condition that failed, and what to edit. */
export function explainUnmatched(
  set: PolicySet,
  { allows }: Selection,
  subject: Subject,
): Explanation & {
  readonly reason: Reason;
  readonly source: PolicySource | undefined;
  readonly rule: number | undefined;
} {
  const { facts } = subject;
  const [first] = allows;
  const nearest = nearestAllow(allows, subject);
  if (nearest === undefined) {
    const edit = suggestPolicy(set, subject);
    const lack =
      first === undefined
        ? 'no Allow policy selects it'
        : `${nameOf(first.source)} (${placeOf(first.source)}) selects it and has no rules`;
    const advice = edit === undefined ? '' : `; add one to ${edit.file}`;
    const explanation = `${describeWorkload(facts)} admits nobody: ${lack}${advice}; refused ${describePeer(facts)}`;
    return {
      reason: POLICY_REASONS['no-policy-allows'],
      source: first?.source,
      rule: undefined,
      explanation,
      edit,
    };
  }
  const { source } = nearest.policy;
  const edit = suggestEdit(set, nearest, subject);
  const where = placeOf({ file: source.file, line: edit?.line ?? nearest.rule.rule.place.from.line });
  const explanation =
    `no Allow policy admits ${describePeer(facts)} to ${describeWorkload(facts)}; ` +
    `nearest is ${nameOf(source)} rule ${nearest.ruleIndex} (${where}): its ${describeGap(nearest, subject)}`;
  return { reason: reasonFor(nearest, subject), source, rule: nearest.ruleIndex, explanation, edit };
}

/** The port first, since it is what an operator sees first; then the one condition that failed. */
function describeGap({ portHolds, rule, missed, entry }: Nearest, subject: Subject): string {
  if (!portHolds)
    return `ports list ${[...(rule.ports ?? [])].join(', ')}, and this is port ${subject.facts.port}`;
  const [field] = missed;
  return field === undefined ? 'rule holds' : describeMiss(field, entry.match, subject);
}

/** A peer without identity is told apart only where an identity is what it lacks. */
function reasonFor({ missed, entry }: Nearest, { facts }: Subject): Reason {
  const lacksIdentity =
    facts.peer === undefined &&
    missed.some(
      (field) => IDENTITY_FIELDS.has(field) || (field === 'peer' && entry.match.peer === 'Authenticated'),
    );
  return POLICY_REASONS[lacksIdentity ? 'no-identity' : 'no-policy-allows'];
}

/** An object of a cluster has no lines that anybody sees. */
function placeOf({ file, line }: Pick<PolicySource, 'file' | 'line'>): string {
  return file === IN_CLUSTER ? `in ${file}` : `${file}:${line}`;
}

function nameOf({ kind, namespace, name }: PolicySource): string {
  return `${kind} ${namespace}/${name}`;
}
