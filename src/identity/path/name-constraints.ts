import { IDENTITY_REASONS } from '../reasons.ts';
import type { Certificate } from '../x509/certificate.ts';
import type { NameConstraints } from '../x509/extensions/name-constraints.ts';
import type { GeneralName } from '../x509/general-name.ts';
import { refuse, type StepResult } from './refuse.ts';

/**
 * RFC 5280 6.1.3 (b) and (c): the certificate's names against the constraints of every CA above it. Each CA's set is
 * applied by itself, which is the intersection that 6.1.4 (g) builds. Kinds of names that are constrained but not
 * understood here are refused, as RFC 5280 4.2.1.10 asks: "process the constraint or reject the certificate".
 */
export function checkNameConstraints(
  certificate: Certificate,
  above: readonly NameConstraints[],
): StepResult {
  for (const constraints of above) {
    for (const name of namesOf(certificate)) {
      const problem = checkName(certificate, name, constraints);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

function namesOf(certificate: Certificate): readonly GeneralName[] {
  const names = certificate.extensions.subjectAltName ?? [];
  return certificate.subject.empty ? names : [...names, { type: 'directory', name: certificate.subject }];
}

function checkName(certificate: Certificate, name: GeneralName, constraints: NameConstraints): StepResult {
  const sameKind = (base: GeneralName): boolean => base.type === name.type;
  const permitted = constraints.permitted.filter(sameKind);
  const excluded = constraints.excluded.filter(sameKind);
  if (permitted.length + excluded.length === 0) return undefined;
  if (name.type !== 'uri') {
    const what = `its issuers constrain names of kind "${name.type}"`;
    return refuse(IDENTITY_REASONS['name-constraint-unsupported'], certificate, what);
  }
  const host = hostOf(name.text);
  if (host === undefined) {
    // RFC 5280 4.2.1.10: a URI without a host name cannot satisfy a constraint: "the application MUST reject".
    return refuse(
      IDENTITY_REASONS['name-constraint-violated'],
      certificate,
      'its URI has no host to compare',
    );
  }
  const within = (base: GeneralName): boolean =>
    base.type === 'uri' && hostWithin(host, base.text.toLowerCase());
  const barrier = excluded.find(within);
  if (barrier !== undefined || (permitted.length > 0 && !permitted.some(within))) {
    const rule =
      barrier?.type === 'uri'
        ? `excludes "${barrier.text}"`
        : `permits ${permitted.map(quoteBase).join(', ')} only`;
    return refuse(
      IDENTITY_REASONS['name-constraint-violated'],
      certificate,
      `a CA above it ${rule}, not "${host}"`,
    );
  }
  return undefined;
}

function quoteBase(base: GeneralName): string {
  return base.type === 'uri' ? `"${base.text}"` : base.type;
}

/** RFC 5280 4.2.1.10: "a host" matches itself; a constraint that begins with a period matches names below it. */
function hostWithin(host: string, base: string): boolean {
  return base.startsWith('.') ? host.endsWith(base) && host.length > base.length : host === base;
}

/** The host name in a URI's authority (RFC 3986 3.2), lower-case; undefined for none and for IP literals. */
function hostOf(uri: string): string | undefined {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(uri)?.[1];
  const host = authority?.replace(/^.*@/, '').replace(/:\d*$/, '').toLowerCase();
  return host === undefined || !/^[a-z0-9._-]+$/.test(host) || /^[\d.]+$/.test(host) ? undefined : host;
}
