import type { Refusal } from '#handshake';
import { equal, err, ok, type Result, toHex } from '#runtime';
import { IDENTITY_REASONS } from '../reasons.ts';
import type { Certificate } from '../x509/certificate.ts';
import { Budget, type Work } from './budget.ts';
import { CertificateIndex } from './certificate-index.ts';
import { isSelfSigned, keyIdentifierDiffers } from './issuer.ts';
import type { KnownIntermediates } from './known-intermediates.ts';
import { PATH_LIMITS } from './limits.ts';
import { refuse } from './refuse.ts';
import { Signatures } from './signatures.ts';
import { type PathInput, type PathWork, validatePath } from './validate.ts';

/** A path that was found valid: leaf first, root last. */
export type ValidPath = readonly [Certificate, ...Certificate[]];

export interface BuildInput extends PathInput {
  /** Fewer certificates between leaf and root than the limit allows. */
  readonly mostIntermediates?: number;
  /** Of these roots; a path that is found is added. */
  readonly known?: KnownIntermediates;
}

/**
 * Finds a valid path from the leaf through presented certificates to a root. The order in which they came is not
 * trusted (RFC 8446 4.4.2); presented self-signed certificates are ignored, as a root is trusted for being in the
 * bundle only. The error is that of the path that looked most like the peer's.
 */
export function buildPath(
  leaf: Certificate,
  presented: readonly Certificate[],
  roots: CertificateIndex,
  input: BuildInput,
): Result<ValidPath, Refusal> {
  const work: PathWork = { budget: new Budget(), signatures: new Signatures(input.known) };
  const most = Math.min(input.mostIntermediates ?? PATH_LIMITS.intermediates, PATH_LIMITS.intermediates);
  const search = new Search(presented, roots, work, most);
  let failure: Refusal | undefined;
  for (const path of search.paths([leaf])) {
    const problem = validatePath(path, input, work);
    if (problem === undefined) {
      input.known?.learn(path);
      return ok(path);
    }
    failure ??= problem;
  }
  const { exhausted } = work.budget;
  if (exhausted !== undefined) return err(tooComplex(leaf, exhausted, failure));
  if (failure !== undefined) return err(failure);
  return err(
    search.forged ?? (search.tooLong ? tooLong(leaf, most) : unknownAuthority(search.deadEnd ?? leaf, roots)),
  );
}

class Search {
  readonly #presented: CertificateIndex;
  readonly #roots: CertificateIndex;
  readonly #work: PathWork;
  readonly #most: number;
  #deadEndLength = 0;
  /** The end of the longest path for which no issuer was found: what to tell the operator about. */
  deadEnd: Certificate | undefined;
  /** The first signature that did not hold under a key that it should hold under. */
  forged: Refusal | undefined;
  /** Whether some path was given up for its length. */
  tooLong = false;

  constructor(presented: readonly Certificate[], roots: CertificateIndex, work: PathWork, most: number) {
    this.#presented = new CertificateIndex(presented.filter((one) => !isSelfSigned(one)));
    this.#roots = roots;
    this.#work = work;
    this.#most = most;
  }

  /**
   * Every path that extends `path` up to a root, by names, key identifiers and signatures, depth first. A signature
   * that does not hold means only that this was another issuer of the same name.
   */
  *paths(path: ValidPath): Generator<ValidPath> {
    const below = path.at(-1) ?? path[0];
    let extended = false;
    for (const root of this.#roots.named(below.issuer)) {
      if (!this.#issued(below, root)) continue;
      extended = true;
      if (!this.#work.budget.spend('paths')) return;
      yield [...path, root];
    }
    for (const issuer of this.#presented.named(below.issuer)) {
      if (path.some((used) => sameAuthority(used, issuer)) || !this.#issued(below, issuer)) continue;
      extended = true;
      if (path.length > this.#most) this.tooLong = true;
      else yield* this.paths([...path, issuer]);
    }
    if (!extended && path.length > this.#deadEndLength) {
      this.#deadEndLength = path.length;
      this.deadEnd = below;
    }
  }

  #issued(certificate: Certificate, issuer: Certificate): boolean {
    const { budget, signatures } = this.#work;
    if (!budget.spend('candidates') || keyIdentifierDiffers(certificate, issuer)) return false;
    const problem = signatures.check(certificate, issuer, budget);
    if (problem === undefined) return true;
    this.forged ??= problem;
    return false;
  }
}

/** The same subject and key twice in a path is a loop, even under different certificates. */
function sameAuthority(a: Certificate, b: Certificate): boolean {
  return equal(a.subject.der, b.subject.der) && equal(a.publicKey.spki, b.publicKey.spki);
}

const WORK: Readonly<Record<Work, string>> = {
  candidates: 'possible issuers',
  paths: 'paths to a root',
  signatureChecks: 'signature checks',
  nameComparisons: 'names and constraints',
};

function tooComplex(leaf: Certificate, work: Work, failure: Refusal | undefined): Refusal {
  const first = failure === undefined ? '' : `; the first path failed: ${failure.detail}`;
  return refuse(IDENTITY_REASONS['chain-too-complex'], leaf, `gave up after too many ${WORK[work]}${first}`);
}

function tooLong(leaf: Certificate, most: number): Refusal {
  const what = `no path with at most ${most} intermediates leads to a root`;
  return refuse(IDENTITY_REASONS['chain-too-complex'], leaf, what);
}

function unknownAuthority(certificate: Certificate, roots: CertificateIndex): Refusal {
  const { authorityKeyIdentifier } = certificate.extensions;
  const issuer = nameAndKey(certificate.issuer.text, authorityKeyIdentifier?.keyIdentifier);
  const what = isSelfSigned(certificate)
    ? 'it is self-signed and not one of the roots here'
    : `its issuer ${issuer} is neither among the intermediates sent nor a root here`;
  const shown = roots.certificates.slice(0, MOST_SHOWN);
  const known = shown
    .map((root) => nameAndKey(root.subject.text, root.extensions.subjectKeyIdentifier))
    .join('; ');
  const more = roots.certificates.length - shown.length;
  const rest = more > 0 ? ` and ${more} more` : '';
  return refuse(IDENTITY_REASONS['unknown-authority'], certificate, `${what}; roots: ${known}${rest}`);
}

/** Of the roots, so many stand in a message. */
const MOST_SHOWN = 8;

function nameAndKey(name: string, keyIdentifier: Uint8Array | undefined): string {
  return keyIdentifier === undefined ? name : `${name} (key ${toHex(keyIdentifier)})`;
}
