import { concat } from '#runtime';
import { decodeExtensions, encodeExtensions, type Extensions } from '../extensions/extensions.ts';
import type { ExtensionName } from '../extensions/placement.ts';
import { decodeCertificateStatus, encodeCertificateStatus } from '../extensions/status-request.ts';
import { MAX_CERTIFICATES } from '../limits.ts';
import { fail } from '../reasons.ts';
import { Reader } from '../wire/reader.ts';
import { u16, vector8, vector24 } from '../wire/writer.ts';

/** RFC 8446 4.4.2. */
export interface Certificate {
  readonly context: Uint8Array;
  /** DER, leaf first; empty where a client has none. Copies, as the chain outlives the message. */
  readonly chain: readonly Uint8Array[];
  /** Of each certificate. What was not asked for is refused by `leafStatus`. */
  readonly extensions: readonly Extensions[];
}

export function decodeCertificate(body: Uint8Array): Certificate {
  const reader = new Reader(body, 'Certificate');
  const context = reader.vector8(0).slice();
  const list = new Reader(reader.vector24(0), 'certificate_list');
  reader.finish();
  const chain: Uint8Array[] = [];
  const extensions: Extensions[] = [];
  while (list.left > 0) {
    if (chain.length === MAX_CERTIFICATES)
      fail('message-too-large', `more than ${MAX_CERTIFICATES} certificates`);
    chain.push(list.vector24(1).slice());
    extensions.push(decodeExtensions(list, 'CT'));
  }
  return { context, chain, extensions };
}

/**
 * RFC 8446 4.4.2: "Extensions in the Certificate message from the server MUST correspond to ones from the ClientHello
 * message", from the client to those of the CertificateRequest. The OCSP response about the leaf, if there is one;
 * those about other certificates are not used.
 */
export function leafStatus(message: Certificate, asked: readonly ExtensionName[]): Uint8Array | undefined {
  for (const each of message.extensions) each.requireSolicited(asked, 'CT');
  const statuses = message.extensions.map((each) => each.get('status_request'));
  const responses = statuses.map((status) => status && decodeCertificateStatus(status));
  return responses[0];
}

/** `ocspResponse` goes with the leaf. */
export function encodeCertificate(
  context: Uint8Array,
  chain: readonly Uint8Array[],
  ocspResponse?: Uint8Array,
): Uint8Array {
  const noExtensions = u16(0);
  const status = ocspResponse && encodeCertificateStatus(ocspResponse);
  const leafExtensions = status === undefined ? noExtensions : encodeExtensions([['status_request', status]]);
  const entries = chain.map((der, index) =>
    concat(vector24(der), index === 0 ? leafExtensions : noExtensions),
  );
  return concat(vector8(context), vector24(...entries));
}
