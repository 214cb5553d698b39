import { equal, err, ok, type Result } from '#runtime';
import { IDENTITY_REASONS } from '../reasons.ts';
import type { Certificate } from '../x509/certificate.ts';
import type { GeneralName } from '../x509/general-name.ts';
import { nameText } from './names/comparable.ts';
import { matchesHost, parseHostName, parsePresentedDnsName } from './names/dns.ts';
import { type Mailbox, parseMailbox } from './names/email.ts';
import { parseIpAddress } from './names/ip.ts';
import { refuse, type StepResult } from './refuse.ts';

/** RFC 9525 4.1: whom the caller wants to reach, by a name of one kind. */
export type ReferenceName =
  | { readonly kind: 'dns'; readonly host: string }
  | { readonly kind: 'ip'; readonly octets: Uint8Array }
  | { readonly kind: 'email'; readonly mailbox: Mailbox };

/**
 * The host of a destination: an IP address where it is one, else a DNS name, without the root's period (RFC 9525 2
 * leaves it out). Names in Unicode are for the caller to bring to A-labels (RFC 9549 4.1).
 */
export function parseReferenceHost(text: string): Result<ReferenceName, string> {
  const octets = parseIpAddress(text);
  if (octets !== undefined) return ok({ kind: 'ip', octets });
  const host = parseHostName(text.endsWith('.') ? text.slice(0, -1) : text);
  if (host !== undefined) return ok({ kind: 'dns', host });
  return err(`${JSON.stringify(text.slice(0, 300))} is neither an IP address nor a host name in ASCII`);
}

export function parseReferenceMailbox(text: string): Result<ReferenceName, string> {
  const mailbox = parseMailbox(text);
  return mailbox === undefined
    ? err(`${JSON.stringify(text.slice(0, 300))} is no mail address`)
    : ok({ kind: 'email', mailbox });
}

/**
 * RFC 9525 6: whether the certificate presents the name, by subjectAltName of the same kind only. The common name
 * never counts (RFC 9525 2), an address never matches a DNS name, nor a mail address a host (CVE-2022-21656).
 */
export function checkReferenceName(leaf: Certificate, reference: ReferenceName): StepResult {
  const names = leaf.extensions.subjectAltName ?? [];
  if (names.some((name) => presents(name, reference))) return undefined;
  const shown = names.slice(0, MOST_SHOWN).map(nameText).join(', ');
  const more = names.length > MOST_SHOWN ? ` and ${names.length - MOST_SHOWN} more` : '';
  const found = shown === '' ? 'no names' : `${shown}${more}`;
  return refuse(IDENTITY_REASONS['host-name-mismatch'], leaf, `it is for ${found}`);
}

const MOST_SHOWN = 8;

function presents(name: GeneralName, reference: ReferenceName): boolean {
  switch (reference.kind) {
    case 'dns': {
      const presented = name.type === 'dns' ? parsePresentedDnsName(name.text) : undefined;
      return presented !== undefined && matchesHost(presented, reference.host);
    }
    case 'ip':
      return name.type === 'ip' && equal(name.octets, reference.octets);
    case 'email': {
      const mailbox = name.type === 'email' ? parseMailbox(name.text) : undefined;
      const { local, host } = reference.mailbox;
      return mailbox?.local === local && mailbox.host === host;
    }
  }
}
