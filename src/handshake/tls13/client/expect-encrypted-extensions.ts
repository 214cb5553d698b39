import type { Received } from '../../messages/message.ts';
import type { Port } from '../../port.ts';
import { fail } from '../../reasons.ts';
import type { ClientNext, ClientState } from '../../states.ts';
import type { HandshakeKeys } from '../handshake-keys.ts';
import type { ClientContext, SentHello } from './context.ts';
import { ExpectCertificateOrRequest } from './expect-certificate.ts';

/** RFC 8446 4.3.1. */
export class ExpectEncryptedExtensions implements ClientState<'ExpectEncryptedExtensions'> {
  readonly name = 'ExpectEncryptedExtensions';
  readonly #context: ClientContext;
  readonly #sent: SentHello;
  readonly #keys: HandshakeKeys;

  constructor(context: ClientContext, sent: SentHello, keys: HandshakeKeys) {
    this.#context = context;
    this.#sent = sent;
    this.#keys = keys;
  }

  handle(message: Received<'encrypted_extensions'>, port: Port): ClientNext<'ExpectEncryptedExtensions'> {
    const { extensions, alpn } = message.body;
    extensions.requireSolicited(this.#sent.offered, 'EE');
    this.#checkAlpn(alpn);
    port.emit({ type: 'alpn', protocol: alpn });
    port.transcript.add(message.raw);
    return new ExpectCertificateOrRequest({ context: this.#context, keys: this.#keys, alpn });
  }

  #checkAlpn(alpn: string | undefined): void {
    const offered = this.#context.parameters.alpn;
    // A server may ignore the extension (RFC 7301 3.1); who asked for a protocol must not speak another by accident.
    if (alpn === undefined && offered.length > 0)
      fail('no-common-alpn', `offered ${offered.join(', ')}, none chosen`);
    if (alpn !== undefined && !offered.includes(alpn)) fail('unoffered-choice', 'an ALPN protocol');
  }
}
