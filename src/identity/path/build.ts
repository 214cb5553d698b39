import type { Refusal } from '#handshake';
import { equal, err, ok, type Result, toHex } from '#runtime';
import { IDENTITY_REASONS } from '../reasons.ts';
import type { Certificate } from '../x509/certificate.ts';
import { isSelfSigned, keyIdentifierDiffers, namesIssuer } from './issuer.ts';
import { refuse } from './refuse.ts';
import { type PathInput, validatePath } from './validate.ts';

/** A path that was found valid: leaf first, root last. */
export type ValidPath = readonly [Certificate, ...Certificate[]];

/** What one peer can cost: certificates that look alike make the number of orders grow without bound. */
export const PATH_LIMITS = {
  presented: 8,
  /** Certificates looked at as a possible issuer. */
  candidates: 256,
  /** Each step of each path that is tried costs one signature check. */
  signatureChecks: 32,
} as const;

/**
 * Finds a valid path from the leaf through presented certificates to a root. The order in which they came is not
 * trusted (RFC 8446 4.4.2); presented self-signed certificates are
 * ignored, as a root is trusted for being in the bundle only. The
 * error is that of the path that looked most like the peer's.
 */
export function buildPath(
  leaf: Certificate,
  presented: readonly Certificate[],
  roots: readonly Certificate[],
  input: PathInput,
): Result<ValidPath, Refusal> {
  const search = new Search(presented, roots);
  let failure: Refusal | undefined;
  let signatures = 0;
  for (const path of search.paths([leaf])) {
    signatures += path.length - 1;
    if (signatures > PATH_LIMITS.signatureChecks) return err(tooComplex(leaf, 'signature checks'));
    const problem = validatePath(path, input);
    if (problem === undefined) return ok(path);
    // A signature that doesn't hold means only that this was another issuer of the same name.
    if (failure === undefined || failure.reason === IDENTITY_REASONS['certificate-signature-invalid']) {
      failure = problem;
    }
  }
  if (failure !== undefined) return err(failure);
  if (search.exhausted) return err(tooComplex(leaf, 'possible issuers'));
  return err(unknownAuthority(search.deadEnd.at(-1) ?? leaf, roots));
}

class Search {
  readonly #presented: readonly Certificate[];
  readonly #roots: readonly Certificate[];
  #looked = 0;
  /** The longest path for whose end no issuer was found: its end is what to tell the operator about. */
  deadEnd: readonly Certificate[] = [];

  constructor(presented: readonly Certificate[], roots: readonly Certificate[]) {
    this.#presented = presented.filter((one) => !isSelfSigned(one));
    this.#roots = roots;
  }

  get exhausted(): boolean {
    return this.#looked >= PATH_LIMITS.candidates;
  }

  /** Every path that extends `path` up to a root, by names and key identifiers, depth first. */
  *paths(path: ValidPath): Generator<ValidPath> {
    const below = path.at(-1) ?? path[0];
    let extended = false;
    for (const root of this.#roots) {
      if (!this.#mayIssue(below, root)) continue;
      extended = true;
      yield [...path, root];
    }
    for (const issuer of this.#presented) {
      if (!this.#mayIssue(below, issuer) || path.some((used) => sameAuthority(used, issuer))) continue;
      extended = true;
      yield* this.paths([...path, issuer]);
    }
    if (!extended && path.length > this.deadEnd.length) this.deadEnd = path;
  }

  #mayIssue(certificate: Certificate, issuer: Certificate): boolean {
    if (this.exhausted) return false;
    this.#looked += 1;
    return namesIssuer(certificate, issuer) && !keyIdentifierDiffers(certificate, issuer);
  }
}

/** The same subject and key twice in a path is a loop, even under different certificates. */
function sameAuthority(a: Certificate, b: Certificate): boolean {
  return equal(a.subject.der, b.subject.der) && equal(a.publicKey.spki, b.publicKey.spki);
}

function tooComplex(leaf: Certificate, what: string): Refusal {
  return refuse(IDENTITY_REASONS['chain-too-complex'], leaf, `gave up after too many ${what}`);
}

function unknownAuthority(certificate: Certificate, roots: readonly Certificate[]): Refusal {
  const { authorityKeyIdentifier } = certificate.extensions;
  const issuer = nameAndKey(certificate.issuer.text, authorityKeyIdentifier?.keyIdentifier);
  const what = isSelfSigned(certificate)
    ? 'it is self-signed and not one of the roots here'
    : `its issuer ${issuer} is neither among the intermediates sent nor a root here`;
  const known = roots
    .map((root) => nameAndKey(root.subject.text, root.extensions.subjectKeyIdentifier))
    .join('; ');
  return refuse(IDENTITY_REASONS['unknown-authority'], certificate, `${what}; roots: ${known}`);
}

function nameAndKey(name: string, keyIdentifier: Uint8Array | undefined): string {
  return keyIdentifier === undefined ? name : `${name} (key ${toHex(keyIdentifier)})`;
}
