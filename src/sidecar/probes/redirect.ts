/**
 * Where a kubelet that got this answer would go on; undefined: it would take the answer as it is. Kubernetes,
 * pkg/probe/http/http.go, RedirectChecker: redirects to the same host are followed, whatever their port and scheme, and
 * others are a success.
 */
export function redirected(status: number, location: string | undefined, asked: URL): URL | undefined {
  if (!FOLLOWED.has(status) || location === undefined || location === '') return undefined;
  const next = URL.parse(location, asked);
  return next?.hostname === asked.hostname ? next : undefined;
}

/** A Location without a scheme keeps the Host header that the probe was given. */
export function isRelative(location: string): boolean {
  return URL.parse(location) === null;
}

/** net/http of Go, redirectBehavior. */
const FOLLOWED: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
