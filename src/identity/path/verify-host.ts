import type { PresentedChain, Refusal } from '#handshake';
import { err, ok, type Result } from '#runtime';
import type { Certificate } from '../x509/certificate.ts';
import { buildPath, type ValidPath } from './build.ts';
import { checkReferenceName, type ReferenceName } from './host-name.ts';
import { readPresented } from './presented.ts';
import type { RevocationInput } from './revocation.ts';
import { WEB_PROFILE } from './web-profile.ts';
import type { WeakKeyList } from './weak-keys/block-list.ts';
import type { WebRoots } from './web-roots.ts';

export interface WebInput {
  readonly roots: WebRoots;
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly mostIntermediates?: number;
  readonly revocation?: RevocationInput;
  readonly weakKeys?: WeakKeyList;
}

export interface VerifiedHost {
  readonly leaf: Certificate;
  /** Leaf first, root last. */
  readonly path: ValidPath;
}

/**
 * The web's way: a path to a public root that follows RFC 5280 and the Baseline Requirements, for the peer's role, and
 * a leaf that presents the name that was asked for.
 */
export function verifyHost(
  presented: PresentedChain,
  name: ReferenceName,
  input: WebInput,
): Result<VerifiedHost, Refusal> {
  const host = verifyWebChain(presented, input);
  if (!host.ok) return host;
  const mismatch = checkReferenceName(host.value.leaf, name);
  return mismatch === undefined ? host : err(mismatch);
}

/**
 * The path alone, for those who report what a server shows instead of talking to it. It says that a public authority
 * vouches for the certificate, and nothing about whose it is.
 */
export function verifyWebChain(presented: PresentedChain, input: WebInput): Result<VerifiedHost, Refusal> {
  const read = readPresented(presented.chain, MOST_PRESENTED);
  if (!read.ok) return read;
  const { leaf, others, unreadable } = read.value;
  const path = buildPath(leaf, others, input.roots.index, {
    time: input.time,
    purpose: presented.role === 'server' ? 'serverAuth' : 'clientAuth',
    profile: WEB_PROFILE,
    ...(input.mostIntermediates === undefined ? {} : { mostIntermediates: input.mostIntermediates }),
    ...(input.revocation === undefined ? {} : { revocation: input.revocation }),
    ...(input.weakKeys === undefined ? {} : { weakKeys: input.weakKeys }),
  });
  if (!path.ok) return err(withUnreadable(path.error, unreadable));
  return ok({ leaf, path: path.value });
}

/** Servers of the web send old cross-signed certificates along; more than this is no chain. */
const MOST_PRESENTED = 128;

/** An intermediate that could not be read may be the one that the path lacks. */
function withUnreadable({ reason, detail }: Refusal, unreadable: readonly Refusal[]): Refusal {
  const [first] = unreadable;
  return { reason, detail: first === undefined ? detail : `${detail}; left out: ${first.detail}` };
}
