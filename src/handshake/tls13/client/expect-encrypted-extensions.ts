import type { Received } from '../../messages/message.ts';
import type { EncryptedExtensions } from '../../messages/encrypted-extensions.ts';
import type { Port, SessionUse } from '../../port.ts';
import { fail } from '../../reasons.ts';
import type { ClientNext, ClientState } from '../../states.ts';
import type { SuiteName } from '../../suites.ts';
import type { HandshakeKeys } from '../handshake-keys.ts';
import { type PskSelected, resumePeer } from '../proven-peer.ts';
import type { ClientContext, SentHello } from './context.ts';
import { ExpectCertificateOrRequest } from './expect-certificate.ts';
import { ExpectFinished } from './expect-finished.ts';
import type { UsableSession } from './psk-offer.ts';

/** What the ServerHello decided. */
export interface Answer {
  readonly name: SuiteName;
  /** Undefined: a full handshake. */
  readonly chosen: PskSelected | undefined;
  /** Early data is on its way, and the server may yet take it. */
  readonly earlyDataOpen: boolean;
}

/** RFC 8446 4.3.1. */
export class ExpectEncryptedExtensions implements ClientState<'ExpectEncryptedExtensions'> {
  readonly name = 'ExpectEncryptedExtensions';
  readonly #context: ClientContext;
  readonly #sent: SentHello;
  readonly #keys: HandshakeKeys;
  readonly #answer: Answer;

  constructor(context: ClientContext, sent: SentHello, keys: HandshakeKeys, answer: Answer) {
    this.#context = context;
    this.#sent = sent;
    this.#keys = keys;
    this.#answer = answer;
  }

  handle(message: Received<'encrypted_extensions'>, port: Port): ClientNext<'ExpectEncryptedExtensions'> {
    const { extensions, alpn } = message.body;
    if (extensions.get('heartbeat') !== undefined) fail('heartbeat-chosen');
    extensions.requireSolicited(this.#sent.offered, 'EE');
    this.#checkAlpn(alpn);
    port.emit({ type: 'alpn', protocol: alpn });
    port.transcript.add(message.raw);
    const { chosen, name } = this.#answer;
    const usable = this.#sent.offer?.usable;
    const use: SessionUse = {
      kind: chosen === undefined ? 'full' : usable === undefined ? 'external' : 'resumed',
      authenticatedAt: chosen === undefined ? undefined : usable?.session.authenticatedAt,
      earlyData: this.#earlyData(message.body, usable, port),
    };
    this.#tell(use, port);
    const server = { context: this.#context, keys: this.#keys, suite: name, alpn, use };
    if (chosen === undefined) return new ExpectCertificateOrRequest(server);
    // RFC 8446 4.3.2 and 4.4.2: who knows the key neither shows a certificate nor asks for one.
    if (usable === undefined) return new ExpectFinished(server, undefined, undefined, []);
    const peer = resumePeer(usable.chain, chosen);
    port.emit({ type: 'peer-verified', peer: peer.peer, scheme: undefined });
    return new ExpectFinished({ ...server, earlier: usable.session }, undefined, peer, usable.session.chain);
  }

  /** RFC 8446 4.2.10: the server takes early data or not; it may only where the first key was chosen. */
  #earlyData(
    { acceptsEarlyData, alpn }: EncryptedExtensions,
    usable: UsableSession | undefined,
    port: Port,
  ): SessionUse['earlyData'] {
    const { earlyDataOpen, name } = this.#answer;
    if (acceptsEarlyData) {
      if (!earlyDataOpen || usable === undefined)
        fail('illegal-parameter', 'early data taken without its key');
      // "the selected ALPN protocol" and the cipher suite must be those of the session.
      const same = usable.session.suite === name && usable.session.alpn === alpn;
      if (!same) fail('illegal-parameter', 'early data taken with another suite or protocol');
      return 'accepted';
    }
    if (earlyDataOpen) {
      port.earlyOutput.close();
      port.changeWriteKeys(this.#keys.suite, this.#keys.clientSecret);
    }
    return this.#sent.earlyData || port.earlyOutput.sent > 0 ? 'rejected' : 'none';
  }

  #tell(use: SessionUse, port: Port): void {
    const refused = this.#sent.offer !== undefined && use.kind === 'full';
    port.emit({
      type: 'session',
      use,
      declined: refused ? 'server-declined' : this.#context.declined,
      earlyDeclined: use.earlyData === 'rejected' ? 'server-declined' : undefined,
    });
  }

  #checkAlpn(alpn: string | undefined): void {
    const offered = this.#context.parameters.alpn;
    // A server may ignore the extension (RFC 7301 3.1); who asked for a protocol must not speak another by accident.
    const required = this.#context.config.alpnRequired ?? true;
    if (alpn === undefined && offered.length > 0 && required)
      fail('no-common-alpn', `offered ${offered.join(', ')}, none chosen`);
    if (alpn !== undefined && !offered.includes(alpn)) fail('unoffered-choice', 'an ALPN protocol');
  }
}
