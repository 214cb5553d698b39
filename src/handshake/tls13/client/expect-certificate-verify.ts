import type { CertificateRequest } from '../../messages/certificate-request.ts';
import type { Received } from '../../messages/message.ts';
import type { Port } from '../../port.ts';
import type { ClientNext, ClientState } from '../../states.ts';
import type { VerifiedPeer } from '../../verify/peer-verifier.ts';
import type { ChainVerified } from '../../verify/verdict.ts';
import { checkCertificateVerify } from '../certificate-verify.ts';
import type { ServerParameters } from './expect-certificate.ts';
import { ExpectFinished } from './expect-finished.ts';

/** RFC 8446 4.4.3. */
export class ExpectCertificateVerify implements ClientState<'ExpectCertificateVerify'> {
  readonly name = 'ExpectCertificateVerify';
  readonly #server: ServerParameters;
  readonly #request: CertificateRequest | undefined;
  readonly #verified: ChainVerified<VerifiedPeer>;
  readonly #chain: readonly Uint8Array[];

  constructor(
    server: ServerParameters,
    request: CertificateRequest | undefined,
    verified: ChainVerified<VerifiedPeer>,
    chain: readonly Uint8Array[],
  ) {
    this.#server = server;
    this.#request = request;
    this.#verified = verified;
    this.#chain = chain;
  }

  handle(message: Received<'certificate_verify'>, port: Port): ClientNext<'ExpectCertificateVerify'> {
    const offered = this.#server.context.parameters.schemes;
    const hash = port.transcript.value();
    const peer = port.measure('verify-signature', () =>
      checkCertificateVerify(port.crypto, this.#verified, offered, 'server', hash, message.body),
    );
    port.emit({ type: 'peer-verified', peer: peer.peer, scheme: peer.scheme });
    port.transcript.add(message.raw);
    return new ExpectFinished(this.#server, this.#request, peer, this.#chain);
  }
}
