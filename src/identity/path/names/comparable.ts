import { toHex } from '#runtime';
import type { GeneralName } from '../../x509/general-name.ts';
import { type DirectoryPath, directoryPath, isWithinDirectory } from './directory.ts';
import {
  isWithinDomain,
  type PresentedDnsName,
  parseDnsConstraint,
  parsePresentedDnsName,
  wildcardTouches,
} from './dns.ts';
import {
  type EmailConstraint,
  isWithinMail,
  type Mailbox,
  parseEmailConstraint,
  parseMailbox,
} from './email.ts';
import { type IpRange, ipText, isWithinRange, parseIpConstraint } from './ip.ts';
import { isWithinUri, parseUriConstraint, uriHost } from './uri.ts';

/** The kinds of names that constraints are understood for. */
export type ConstrainedKind = 'dns' | 'ip' | 'email' | 'uri' | 'directory';

/** A certificate's name in the form in which it is compared. */
export type Comparable =
  | { readonly kind: 'dns'; readonly name: PresentedDnsName }
  | { readonly kind: 'ip'; readonly octets: Uint8Array }
  | { readonly kind: 'email'; readonly mailbox: Mailbox }
  | { readonly kind: 'uri'; readonly host: string }
  | { readonly kind: 'directory'; readonly path: DirectoryPath };

/** The base of a subtree of nameConstraints. */
export type Base =
  | { readonly kind: 'dns'; readonly host: string }
  | { readonly kind: 'ip'; readonly range: IpRange }
  | { readonly kind: 'email'; readonly mail: EmailConstraint }
  | { readonly kind: 'uri'; readonly host: string }
  | { readonly kind: 'directory'; readonly path: DirectoryPath };

export function constrainedKind({ type }: GeneralName): ConstrainedKind | undefined {
  const known = type === 'dns' || type === 'ip' || type === 'email' || type === 'uri' || type === 'directory';
  return known ? type : undefined;
}

/** Undefined for a name that is not what its kind says: it can be compared with nothing. */
export function comparable(name: GeneralName): Comparable | undefined {
  switch (name.type) {
    case 'dns': {
      const presented = parsePresentedDnsName(name.text);
      return presented && { kind: 'dns', name: presented };
    }
    case 'ip':
      return { kind: 'ip', octets: name.octets };
    case 'email': {
      const mailbox = parseMailbox(name.text);
      return mailbox && { kind: 'email', mailbox };
    }
    case 'uri': {
      const host = uriHost(name.text);
      return host === undefined ? undefined : { kind: 'uri', host };
    }
    case 'directory':
      return { kind: 'directory', path: directoryPath(name.name) };
    case 'other':
    case 'x400':
    case 'edi-party':
    case 'registered-id':
      return undefined;
  }
}

/** Undefined for a base that is no name or range of names of its kind. */
export function parseBase(name: GeneralName): Base | undefined {
  switch (name.type) {
    case 'dns': {
      const host = parseDnsConstraint(name.text);
      return host === undefined ? undefined : { kind: 'dns', host };
    }
    case 'ip': {
      const range = parseIpConstraint(name.octets);
      return range && { kind: 'ip', range };
    }
    case 'email': {
      const mail = parseEmailConstraint(name.text);
      return mail && { kind: 'email', mail };
    }
    case 'uri': {
      const host = parseUriConstraint(name.text);
      return host === undefined ? undefined : { kind: 'uri', host };
    }
    case 'directory':
      return { kind: 'directory', path: directoryPath(name.name) };
    case 'other':
    case 'x400':
    case 'edi-party':
    case 'registered-id':
      return undefined;
  }
}

/** Whether all that the name stands for lies within the base. */
export function isWithin(name: Comparable, base: Base): boolean {
  if (name.kind === 'dns' && base.kind === 'dns') return isWithinDomain(name.name.host, base.host);
  if (name.kind === 'ip' && base.kind === 'ip') return isWithinRange(name.octets, base.range);
  if (name.kind === 'email' && base.kind === 'email') return isWithinMail(name.mailbox, base.mail);
  if (name.kind === 'uri' && base.kind === 'uri') return isWithinUri(name.host, base.host);
  return name.kind === 'directory' && base.kind === 'directory' && isWithinDirectory(name.path, base.path);
}

/** Whether some of what the name stands for does: only a wildcard stands for more than one name. */
export function touches(name: Comparable, base: Base): boolean {
  return name.kind === 'dns' && base.kind === 'dns'
    ? wildcardTouches(name.name, base.host)
    : isWithin(name, base);
}

/** For messages. */
export function nameText(name: GeneralName): string {
  switch (name.type) {
    case 'dns':
    case 'email':
    case 'uri':
      return JSON.stringify(name.text.slice(0, 300));
    case 'ip':
      return name.octets.length === 4 || name.octets.length === 16 ? ipText(name.octets) : toHex(name.octets);
    case 'directory':
      return JSON.stringify(name.name.text.slice(0, 300));
    case 'other':
    case 'x400':
    case 'edi-party':
    case 'registered-id':
      return `a name of kind "${name.type}"`;
  }
}
