import { parseTrustBundle, type TrustBundle } from '#identity';
import { type Clock, err, type Log, type Result } from '#runtime';
import { FollowedFiles } from './files.ts';

/** The roots to believe, from a mounted file. The error is every mistake: without roots nothing can be judged. */
export async function followTrustBundle(
  path: string,
  trustDomain: string,
  parts: { readonly clock: Clock; readonly log: Log },
): Promise<Result<FollowedFiles<TrustBundle>, readonly string[]>> {
  return FollowedFiles.open({
    what: 'trust bundle',
    paths: [path],
    parse: ([pem = '']) => {
      const bundle = parseTrustBundle(trustDomain, pem);
      return bundle.ok ? bundle : err(bundle.error.map((mistake) => `${path}: ${mistake}`));
    },
    ...parts,
  });
}
