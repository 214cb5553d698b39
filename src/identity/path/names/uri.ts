/**
 * The host name in a URI's authority (RFC 3986 3.2), lower-case; undefined for none and for IP literals, which no
 * constraint can be compared with (RFC 5280 4.2.1.10: "the application MUST reject"). A trust domain may have
 * underscores (SPIFFE-ID 2.1), so they are let through here.
 */
export function uriHost(uri: string): string | undefined {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(uri)?.[1];
  const host = authority?.replace(/^.*@/, '').replace(/:\d*$/, '').toLowerCase();
  return host === undefined || !HOST.test(host) || /^[\d.]+$/.test(host) ? undefined : host;
}

const HOST = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;

/** A uniformResourceIdentifier constraint: a host, a domain with a period in front, or nothing for every host. */
export function parseUriConstraint(text: string): string | undefined {
  const base = text.toLowerCase();
  return base === '' || HOST.test(base.startsWith('.') ? base.slice(1) : base) ? base : undefined;
}

/** RFC 5280 4.2.1.10: "a host" matches itself; a constraint that begins with a period matches names below it. */
export function isWithinUri(host: string, base: string): boolean {
  if (base === '') return true;
  return base.startsWith('.') ? host.endsWith(base) && host.length > base.length : host === base;
}
