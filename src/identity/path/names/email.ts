import { parseHostName } from './dns.ts';

/** rfc822Name: `Local-part@Domain` (RFC 5280 4.2.1.6), the local part as RFC 5321's Dot-string. */
export interface Mailbox {
  /** Compared letter by letter: only the domain folds case (RFC 5280 7.5). */
  readonly local: string;
  readonly host: string;
}

const ATOM = "[A-Za-z0-9!#$%&'*+\\-/=?^_`{|}~]+";
const LOCAL_PART = new RegExp(`^${ATOM}(\\.${ATOM})*$`);

export function parseMailbox(text: string): Mailbox | undefined {
  const [local, domain, ...more] = text.split('@');
  if (local === undefined || domain === undefined || more.length > 0 || !LOCAL_PART.test(local))
    return undefined;
  const host = parseHostName(domain);
  return host === undefined ? undefined : { local, host };
}

/** RFC 5280 4.2.1.10: one mailbox, all of one host, or (with a period in front) all of a domain's hosts. */
export type EmailConstraint =
  | { readonly kind: 'every' }
  | { readonly kind: 'mailbox'; readonly mailbox: Mailbox }
  | { readonly kind: 'host' | 'domain'; readonly host: string };

export function parseEmailConstraint(text: string): EmailConstraint | undefined {
  if (text === '') return { kind: 'every' };
  if (text.includes('@')) {
    const mailbox = parseMailbox(text);
    return mailbox === undefined ? undefined : { kind: 'mailbox', mailbox };
  }
  const domain = text.startsWith('.');
  const host = parseHostName(domain ? text.slice(1) : text);
  return host === undefined ? undefined : { kind: domain ? 'domain' : 'host', host };
}

export function isWithinMail(mailbox: Mailbox, constraint: EmailConstraint): boolean {
  switch (constraint.kind) {
    case 'every':
      return true;
    case 'mailbox':
      return mailbox.local === constraint.mailbox.local && mailbox.host === constraint.mailbox.host;
    case 'host':
      return mailbox.host === constraint.host;
    case 'domain':
      return mailbox.host.endsWith(`.${constraint.host}`);
  }
}
