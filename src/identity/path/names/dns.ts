/**
 * dNSName, as RFC 5280 4.2.1.6 has it: the preferred name syntax of RFC 1034 3.5 as RFC 1123 2.1 widened it. A name in
 * Unicode stands there as A-labels (RFC 9549 4), which are compared as the ASCII they are: nothing here decodes them
 * (CVE-2022-3602).
 */
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const LONGEST = 253;

/** The name in lower case, or undefined for what is no host name: a trailing period, an underscore, an IP address. */
export function parseHostName(text: string): string | undefined {
  const name = text.toLowerCase();
  const labels = name.split('.');
  if (name.length > LONGEST || !labels.every((label) => LABEL.test(label))) return undefined;
  // A last label of digits only is an IPv4 address, or is taken for one (RFC 1123 2.1).
  return /^\d+$/.test(labels.at(-1) ?? '') ? undefined : name;
}

/** A name that a certificate presents: a host name, or one with a wildcard as its whole first label (RFC 9525 6.3). */
export interface PresentedDnsName {
  readonly wildcard: boolean;
  /** Without "*." in front. */
  readonly host: string;
}

export function parsePresentedDnsName(text: string): PresentedDnsName | undefined {
  const wildcard = text.startsWith('*.');
  const host = parseHostName(wildcard ? text.slice(2) : text);
  if (host === undefined) return undefined;
  // `*.com` would speak for every name of a registry; which longer suffixes are public, only a list could say.
  if (wildcard && !host.includes('.')) return undefined;
  return { wildcard, host };
}

/** RFC 9525 6.3: the wildcard stands for exactly one label; everything else is compared label by label. */
export function matchesHost(presented: PresentedDnsName, host: string): boolean {
  if (!presented.wildcard) return presented.host === host;
  const dot = host.indexOf('.');
  return dot > 0 && host.slice(dot + 1) === presented.host;
}

/**
 * A dNSName constraint: a host name, or nothing for every name. RFC 5280 4.2.1.10 gives a leading period a meaning
 * for URIs only, so here it is an error and not another way to say the same.
 */
export function parseDnsConstraint(text: string): string | undefined {
  return text === '' ? '' : parseHostName(text);
}

/** RFC 5280 4.2.1.10: "adding zero or more labels to the left-hand side of the name satisfies the name constraint". */
export function isWithinDomain(host: string, base: string): boolean {
  return base === '' || host === base || host.endsWith(`.${base}`);
}

/** Whether some name that a wildcard stands for is within `base`, though the wildcard's own domain need not be. */
export function wildcardTouches(presented: PresentedDnsName, base: string): boolean {
  if (isWithinDomain(presented.host, base)) return true;
  return presented.wildcard && base.slice(base.indexOf('.') + 1) === presented.host;
}
