import type { NameConstraints } from '../x509/extensions/name-constraints.ts';
import type { Certificate } from '../x509/certificate.ts';
import { checkBasicConstraints } from './basic-constraints.ts';
import { checkCriticalExtensions } from './critical-extensions.ts';
import { checkExtendedKeyUsage, type Purpose } from './extended-key-usage.ts';
import { isSelfIssued } from './issuer.ts';
import { checkIssuerKeyUsage } from './key-usage.ts';
import { checkNameConstraints } from './name-constraints.ts';
import { checkPathLength, remainingPathLength } from './path-length.ts';
import type { StepResult } from './refuse.ts';
import { checkSignature } from './signature.ts';
import { checkTrustAnchor } from './trust-anchor.ts';
import { checkValidity } from './validity.ts';

/** What a path is judged by besides its certificates: no step knows more. */
export interface PathInput {
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly purpose: Purpose;
  /** What a profile asks of the leaf beyond RFC 5280, run last. */
  readonly checkLeaf: (leaf: Certificate) => StepResult;
}

/** RFC 5280 6.1.2: what the certificates judged so far leave for the next one. */
interface State {
  readonly issuer: Certificate;
  readonly pathLength: number;
  readonly constraints: readonly NameConstraints[];
}

/**
 * RFC 5280 6.1 for one path, root to leaf: `path` is leaf first and ends with a root of the trust bundle, each
 * issued (by name) by the next. The names chain by construction (build.ts). Undefined: the path is valid.
 */
export function validatePath(path: readonly Certificate[], input: PathInput): StepResult {
  const [root, ...below] = [...path].reverse();
  const leaf = below.pop();
  if (root === undefined || leaf === undefined) throw new Error('a path has a leaf and a root');
  // 6.1.1, 6.1.2: the root, then what it says about those below it.
  const start = checkTrustAnchor(root, input.time) ?? checkIssuer(root, Number.POSITIVE_INFINITY, input);
  if (start !== undefined) return start;
  // RFC 5280 6.1.2 (k) starts counting below the root: its own step down is not a CA "in the path".
  let state: State = {
    issuer: root,
    pathLength: root.extensions.basicConstraints?.pathLength ?? Number.POSITIVE_INFINITY,
    constraints: constraintsOf(root),
  };
  for (const issuer of below) {
    const problem =
      checkCertificate(issuer, state, input, isSelfIssued(issuer)) ??
      checkIssuer(issuer, state.pathLength, input);
    if (problem !== undefined) return problem;
    state = {
      issuer,
      pathLength: remainingPathLength(issuer, state.pathLength),
      constraints: [...state.constraints, ...constraintsOf(issuer)],
    };
  }
  // 6.1.5: the leaf is the final certificate, so its names count even if it is self-issued.
  return (
    checkCertificate(leaf, state, input, false) ??
    checkCriticalExtensions(leaf) ??
    checkExtendedKeyUsage(leaf, input.purpose, true) ??
    input.checkLeaf(leaf)
  );
}

/** 6.1.3: every certificate below the root. Self-issued CAs are exempt from name constraints. */
function checkCertificate(
  certificate: Certificate,
  state: State,
  input: PathInput,
  exempt: boolean,
): StepResult {
  return (
    checkSignature(certificate, state.issuer) ??
    checkValidity(certificate, input.time) ??
    (exempt ? undefined : checkNameConstraints(certificate, state.constraints))
  );
}

/** 6.1.4: every certificate that another one follows. */
function checkIssuer(issuer: Certificate, pathLength: number, input: PathInput): StepResult {
  return (
    checkBasicConstraints(issuer) ??
    checkPathLength(issuer, pathLength) ??
    checkIssuerKeyUsage(issuer) ??
    checkExtendedKeyUsage(issuer, input.purpose, false) ??
    checkCriticalExtensions(issuer)
  );
}

function constraintsOf(issuer: Certificate): readonly NameConstraints[] {
  return issuer.extensions.nameConstraints === undefined ? [] : [issuer.extensions.nameConstraints];
}
