import { IDENTITY_REASONS } from '../reasons.ts';
import type { Certificate } from '../x509/certificate.ts';
import { OID } from '../x509/oids.ts';
import { isSelfIssued } from './issuer.ts';
import { refuse, type StepResult } from './refuse.ts';

/**
 * Policy processing of RFC 5280 6.1 as RFC 9618 mended it, for the inputs that TLS has: any policy will do for the
 * caller, none is demanded at the start (RFC 5280 6.1.1 (c), (e) to (g)). Then only the deepest level of the policy
 * graph matters, and that level is all that is kept: no certificate can make it grow as the tree of RFC 5280 grew
 * (CVE-2023-0464).
 */
export class Policies {
  /** valid_policy to expected_policy_set of each node at the present depth; empty: the graph is NULL. */
  #level: ReadonlyMap<string, ReadonlySet<string>> = new Map([[OID.anyPolicy, new Set([OID.anyPolicy])]]);
  #explicitPolicy = Number.POSITIVE_INFINITY;
  #policyMapping = Number.POSITIVE_INFINITY;
  #inhibitAnyPolicy = Number.POSITIVE_INFINITY;

  /** What the root demands of all below it. */
  constructor(root: Certificate) {
    this.#restrict(root);
  }

  /** 6.1.3 (d) to (f). `last`: this is the leaf, whose being self-issued means nothing. */
  check(certificate: Certificate, last: boolean): StepResult {
    const policies = certificate.extensions.certificatePolicies;
    const anyAllowed = this.#inhibitAnyPolicy > 0 || (!last && isSelfIssued(certificate));
    this.#level = policies === undefined ? new Map() : nextLevel(this.#level, policies, anyAllowed);
    return this.#explicit(certificate, this.#explicitPolicy);
  }

  /** 6.1.4 (a), (b), (h) to (j). */
  enter(issuer: Certificate): void {
    this.#level = mapped(this.#level, issuer, this.#policyMapping > 0);
    if (!isSelfIssued(issuer)) {
      this.#explicitPolicy = lower(this.#explicitPolicy);
      this.#policyMapping = lower(this.#policyMapping);
      this.#inhibitAnyPolicy = lower(this.#inhibitAnyPolicy);
    }
    this.#restrict(issuer);
  }

  /** 6.1.5 (a), (b), (g). */
  finish(leaf: Certificate): StepResult {
    const own = leaf.extensions.policyConstraints?.requireExplicitPolicy;
    return this.#explicit(leaf, own === 0 ? 0 : lower(this.#explicitPolicy));
  }

  #restrict({ extensions: { policyConstraints, inhibitAnyPolicy } }: Certificate): void {
    this.#explicitPolicy = Math.min(
      this.#explicitPolicy,
      policyConstraints?.requireExplicitPolicy ?? Number.POSITIVE_INFINITY,
    );
    this.#policyMapping = Math.min(
      this.#policyMapping,
      policyConstraints?.inhibitPolicyMapping ?? Number.POSITIVE_INFINITY,
    );
    this.#inhibitAnyPolicy = Math.min(this.#inhibitAnyPolicy, inhibitAnyPolicy ?? Number.POSITIVE_INFINITY);
  }

  #explicit(certificate: Certificate, explicitPolicy: number): StepResult {
    if (explicitPolicy > 0 || this.#level.size > 0) return undefined;
    const own = [...(certificate.extensions.certificatePolicies ?? [])].join(', ');
    const what = `a CA above it demands a policy that holds along the whole path, found ${own === '' ? 'none' : own}`;
    return refuse(IDENTITY_REASONS['no-valid-policy'], certificate, what);
  }
}

type Level = ReadonlyMap<string, ReadonlySet<string>>;

function nextLevel(above: Level, policies: ReadonlySet<string>, anyAllowed: boolean): Level {
  const expected = new Set([...above.values()].flatMap((set) => [...set]));
  const level = new Map<string, ReadonlySet<string>>();
  for (const policy of policies) {
    if (policy !== OID.anyPolicy && (expected.has(policy) || above.has(OID.anyPolicy))) {
      level.set(policy, new Set([policy]));
    }
  }
  if (policies.has(OID.anyPolicy) && anyAllowed) {
    for (const policy of expected) if (!level.has(policy)) level.set(policy, new Set([policy]));
  }
  return level;
}

function mapped(level: Level, issuer: Certificate, allowed: boolean): Level {
  const targets = new Map<string, Set<string>>();
  for (const { issuer: from, subject: to } of issuer.extensions.policyMappings ?? []) {
    targets.set(from, (targets.get(from) ?? new Set()).add(to));
  }
  const next = new Map(level);
  for (const [from, to] of targets) {
    if (!allowed) next.delete(from);
    else if (next.has(from) || next.has(OID.anyPolicy)) next.set(from, to);
  }
  return next;
}

function lower(count: number): number {
  return Math.max(count - 1, 0);
}
