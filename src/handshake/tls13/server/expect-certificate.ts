import type { ClientAuthentication } from '../../config.ts';
import type { Received } from '../../messages/message.ts';
import { leafStatus } from '../../messages/certificate.ts';
import { type Pending, pause } from '../../pending.ts';
import type { Port } from '../../port.ts';
import { fail } from '../../reasons.ts';
import type { ServerNext, ServerState } from '../../states.ts';
import type { PresentedChain, VerifiedPeer } from '../../verify/peer-verifier.ts';
import { acceptVerdict, type ChainVerified } from '../../verify/verdict.ts';
import { checkCertificateVerify } from '../certificate-verify.ts';
import { ExpectFinished } from './expect-finished.ts';
import type { ServerProgress } from './server-flight.ts';

type Request = Extract<ClientAuthentication<VerifiedPeer>, { mode: 'request' }>;

/** RFC 8446 4.4.2: a client that was asked answers with its chain, or with an empty one. */
export class ExpectCertificate implements ServerState<'ExpectCertificate'> {
  readonly name = 'ExpectCertificate';
  readonly #progress: ServerProgress;
  readonly #request: Request;

  constructor(progress: ServerProgress, request: Request) {
    this.#progress = progress;
    this.#request = request;
  }

  handle(message: Received<'certificate'>, port: Port): ServerNext<'ExpectCertificate'> {
    const { chain, context } = message.body;
    if (context.length > 0) fail('illegal-parameter', "the context of the client's Certificate is not empty");
    const { requestOcspResponse } = this.#progress.context.config;
    const status = leafStatus(message.body, requestOcspResponse ? ['status_request'] : []);
    port.transcript.add(message.raw);
    if (chain.length > 0) {
      const presented = { role: 'client', chain, ...(status && { ocspResponse: status }) } as const;
      return new ValidatingChain(this.#progress, this.#request, presented, port);
    }
    // RFC 8446 4.4.2.4: continue without client authentication, or abort with certificate_required.
    if (this.#request.required) fail('certificate-required');
    return new ExpectFinished(this.#progress, undefined, []);
  }
}

/** Waits for the verifier. */
class ValidatingChain implements ServerState<'ValidatingChain'> {
  readonly name = 'ValidatingChain';
  readonly pending: Pending<ServerNext<'ValidatingChain'>>;

  constructor(progress: ServerProgress, request: Request, presented: PresentedChain, port: Port) {
    this.pending = pause(
      'validate-chain',
      'verifier-failed',
      port,
      () => request.verifier.verify(presented),
      (verdict) =>
        new ExpectCertificateVerify(progress, acceptVerdict(verdict, request.verifier), presented.chain),
    );
  }
}

/** RFC 8446 4.4.3: whoever shows a certificate must prove that it holds the key (CVE-2022-25640 is the lack of it). */
class ExpectCertificateVerify implements ServerState<'ExpectCertificateVerify'> {
  readonly name = 'ExpectCertificateVerify';
  readonly #progress: ServerProgress;
  readonly #verified: ChainVerified<VerifiedPeer>;
  readonly #chain: readonly Uint8Array[];

  constructor(progress: ServerProgress, verified: ChainVerified<VerifiedPeer>, chain: readonly Uint8Array[]) {
    this.#progress = progress;
    this.#verified = verified;
    this.#chain = chain;
  }

  handle(message: Received<'certificate_verify'>, port: Port): ServerNext<'ExpectCertificateVerify'> {
    const offered = this.#progress.context.parameters.schemes;
    const hash = port.transcript.value();
    const peer = port.measure('verify-signature', () =>
      checkCertificateVerify(port.crypto, this.#verified, offered, 'client', hash, message.body),
    );
    port.emit({ type: 'peer-verified', peer: peer.peer, scheme: peer.scheme });
    port.transcript.add(message.raw);
    return new ExpectFinished(this.#progress, peer, this.#chain);
  }
}
