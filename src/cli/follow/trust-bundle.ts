import { parseTrustBundle, type TrustBundle } from '#identity';
import { type Clock, err, type Log, ok, type Result } from '#runtime';
import { FollowedFiles } from './files.ts';

/** The roots to believe, from a mounted file. The error is every mistake: without roots nothing can be judged. */
export async function followTrustBundle(
  path: string,
  trustDomain: string,
  parts: { readonly clock: Clock; readonly log: Log },
): Promise<Result<FollowedFiles<TrustBundle>, readonly string[]>> {
  const roots = await FollowedFiles.open({
    what: 'trust bundle',
    paths: [path],
    parse: ([pem = '']) => parseTrustBundle(trustDomain, pem),
    ...parts,
  });
  return roots.ok ? ok(roots.value) : err(roots.error.map((mistake) => `${path}: ${mistake}`));
}
