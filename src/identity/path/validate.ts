import type { Certificate } from '../x509/certificate.ts';
import { checkBasicConstraints } from './basic-constraints.ts';
import type { Budget } from './budget.ts';
import { checkCriticalExtensions } from './critical-extensions.ts';
import { checkExtendedKeyUsage, type Purpose } from './extended-key-usage.ts';
import { checkExtensionRules } from './extension-rules.ts';
import { isSelfIssued } from './issuer.ts';
import { checkKeyStrength } from './key-strength.ts';
import { checkIssuerKeyUsage } from './key-usage.ts';
import { checkConstraintSyntax, checkNameConstraints, constraintsOf } from './name-constraints.ts';
import type { Constraints } from './names/constraints.ts';
import { checkPathLength, remainingPathLength } from './path-length.ts';
import { Policies } from './policies.ts';
import type { Profile } from './profile.ts';
import { atDepth, type StepResult } from './refuse.ts';
import { checkRevocation, type RevocationInput } from './revocation.ts';
import { checkSerialNumber } from './serial-number.ts';
import type { Signatures } from './signatures.ts';
import { checkTrustAnchor } from './trust-anchor.ts';
import { checkValidity } from './validity.ts';
import type { WeakKeyList } from './weak-keys/block-list.ts';

/** What a path is judged by besides its certificates: no step knows more. */
export interface PathInput {
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly purpose: Purpose;
  readonly profile: Profile;
  /** RSA keys that are refused wherever they stand in a path. */
  readonly weakKeys?: WeakKeyList;
  /** Undefined: nobody was asked to look at revocations. */
  readonly revocation?: RevocationInput;
}

/** What the paths of one search share. */
export interface PathWork {
  readonly budget: Budget;
  readonly signatures: Signatures;
}

/** RFC 5280 6.1.2: what the certificates judged so far leave for the next one. */
interface State {
  readonly issuer: Certificate;
  readonly pathLength: number;
  readonly constraints: readonly Constraints[];
  readonly policies: Policies;
}

/**
 * RFC 5280 6.1 for one path, root to leaf: `path` is leaf first and ends with a root of the trust bundle, each
 * issued (by name) by the next. The names chain by construction (build.ts). Undefined: the path is valid.
 */
export function validatePath(path: readonly Certificate[], input: PathInput, work: PathWork): StepResult {
  const [root, ...below] = [...path].reverse();
  const leaf = below.pop();
  if (root === undefined || leaf === undefined) throw new Error('a path has a leaf and a root');
  // 6.1.1, 6.1.2: the root, then what it says about those below it.
  const start =
    checkTrustAnchor(root, input.time) ??
    checkKeyStrength(root, input.weakKeys) ??
    checkIssuer(root, Number.POSITIVE_INFINITY, input) ??
    input.profile.checkRoot(root);
  if (start !== undefined) return atDepth(start, path.length - 1, path.length);
  // RFC 5280 6.1.2 (k) starts counting below the root: its own step down is not a CA "in the path".
  let state: State = {
    issuer: root,
    pathLength: root.extensions.basicConstraints?.pathLength ?? Number.POSITIVE_INFINITY,
    constraints: constraintsOf(root),
    policies: new Policies(root),
  };
  for (const [index, issuer] of below.entries()) {
    const problem =
      checkCertificate(issuer, state, input, work, false) ??
      checkIssuer(issuer, state.pathLength, input) ??
      input.profile.checkIntermediate(issuer);
    if (problem !== undefined) return atDepth(problem, path.length - 2 - index, path.length);
    state.policies.enter(issuer);
    state = {
      issuer,
      pathLength: remainingPathLength(issuer, state.pathLength),
      constraints: [...state.constraints, ...constraintsOf(issuer)],
      policies: state.policies,
    };
  }
  const problem = atDepth(checkLeaf(leaf, state, input, work), 0, path.length);
  if (problem !== undefined || input.revocation === undefined) return problem;
  return checkRevocation(path, input.revocation, input.time);
}

/** 6.1.3: every certificate below the root. */
function checkCertificate(
  certificate: Certificate,
  state: State,
  input: PathInput,
  work: PathWork,
  last: boolean,
): StepResult {
  // Self-issued CAs are exempt from name constraints; the leaf is the final certificate, so its names always count.
  const exempt = !last && isSelfIssued(certificate);
  return (
    work.signatures.check(certificate, state.issuer, work.budget) ??
    checkValidity(certificate, input.time) ??
    checkSerialNumber(certificate) ??
    checkKeyStrength(certificate, input.weakKeys) ??
    (exempt ? undefined : checkNameConstraints(certificate, state.constraints, work.budget)) ??
    state.policies.check(certificate, last)
  );
}

/** 6.1.4: every certificate that another one follows. */
function checkIssuer(issuer: Certificate, pathLength: number, input: PathInput): StepResult {
  return (
    checkConstraintSyntax(issuer) ??
    checkBasicConstraints(issuer) ??
    checkPathLength(issuer, pathLength) ??
    checkIssuerKeyUsage(issuer) ??
    checkExtendedKeyUsage(issuer, input.purpose, false) ??
    checkCriticalExtensions(issuer) ??
    checkExtensionRules(issuer, input.profile)
  );
}

/** 6.1.3 and 6.1.5: the certificate that the path is for. */
function checkLeaf(leaf: Certificate, state: State, input: PathInput, work: PathWork): StepResult {
  return (
    checkCertificate(leaf, state, input, work, true) ??
    state.policies.finish(leaf) ??
    checkCriticalExtensions(leaf) ??
    checkExtendedKeyUsage(leaf, input.purpose, true) ??
    input.profile.checkLeaf(leaf) ??
    checkExtensionRules(leaf, input.profile)
  );
}
