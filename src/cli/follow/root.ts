import { lastingRoot, type TrustBundle } from '#identity';
import { type ReadableWatch, type Scope, Watch } from '#runtime';

/** The root that ends last, as the bundle changes, until the scope ends. */
export function followRoot(
  scope: Scope,
  bundle: ReadableWatch<TrustBundle>,
): ReadableWatch<{ readonly notAfter: number }> {
  const root = new Watch(lastingRoot(bundle.value));
  scope.defer(bundle.subscribe((next) => root.set(lastingRoot(next))));
  return root;
}
