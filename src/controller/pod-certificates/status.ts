import type { Refusal } from '#handshake';
import { encodePem, type IssuedCertificate } from '#identity';

/** PodCertificateRequestStatus: its end, for good. Times are RFC 3339, whole seconds. */
export interface TerminalStatus {
  readonly conditions: readonly [Condition];
  readonly certificateChain?: string;
  readonly notBefore?: string;
  readonly notAfter?: string;
  readonly beginRefreshAt?: string;
}

interface Condition {
  readonly type: 'Issued' | 'Denied';
  readonly status: 'True';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
}

/** The kubelet asks for the next at a third of its life, as sidecars do. */
const REFRESH_AT = 1 / 3;

export function issuedStatus(issued: IssuedCertificate, now: number): TerminalStatus {
  const { chain, notAfter, notBefore, serial } = issued;
  return {
    conditions: [condition('Issued', 'Issued', `serial ${serial}`, now)],
    certificateChain: chain.map((der) => encodePem('CERTIFICATE', der)).join(''),
    notBefore: instant(notBefore),
    notAfter: instant(notAfter),
    beginRefreshAt: instant(notBefore + (notAfter - notBefore) * REFRESH_AT),
  };
}

export function deniedStatus({ reason, detail }: Refusal, now: number): TerminalStatus {
  // This one reason has a name in the API: the kubelet and people look for it.
  const name = reason.code === 'request-unsupported-key' ? 'UnsupportedKeyType' : camelCase(reason.code);
  const message = `${reason.say} ${detail}. ${reason.next}`.slice(0, LONGEST_MESSAGE);
  return { conditions: [condition('Denied', name, message, now)] };
}

/** A reason of a condition has letters and digits only: `pod-unknown` is `PodUnknown`. */
function camelCase(code: string): string {
  return code.replace(/(?:^|-)([a-z0-9])/g, (_, first: string) => first.toUpperCase());
}

/** Of a condition: 32,768 bytes, in UTF-8 up to three for each of these. */
const LONGEST_MESSAGE = 8_192;

function condition(type: Condition['type'], reason: string, message: string, now: number): Condition {
  return { type, status: 'True', reason, message, lastTransitionTime: instant(now) };
}

function instant(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
