import type { CertificateRequest } from '../../messages/certificate-request.ts';
import { leafStatus } from '../../messages/certificate.ts';
import type { Received } from '../../messages/message.ts';
import { type Pending, pause } from '../../pending.ts';
import type { Port, SessionUse } from '../../port.ts';
import { fail } from '../../reasons.ts';
import type { ClientNext, ClientState } from '../../states.ts';
import type { SuiteName } from '../../suites.ts';
import type { ClientSession } from '../../tickets/session-cache.ts';
import type { PresentedChain } from '../../verify/peer-verifier.ts';
import { acceptVerdict } from '../../verify/verdict.ts';
import type { HandshakeKeys } from '../handshake-keys.ts';
import type { ClientContext } from './context.ts';
import { ExpectCertificateVerify } from './expect-certificate-verify.ts';

/** What a client knows once EncryptedExtensions came. */
export interface ServerParameters {
  readonly context: ClientContext;
  readonly keys: HandshakeKeys;
  readonly suite: SuiteName;
  readonly alpn: string | undefined;
  readonly use: SessionUse;
  /** The session that this handshake goes on with. */
  readonly earlier?: ClientSession;
}

/** RFC 8446 4.3.2: the server asks for our certificate, or shows its own at once. */
export class ExpectCertificateOrRequest implements ClientState<'ExpectCertificateOrRequest'> {
  readonly name = 'ExpectCertificateOrRequest';
  readonly #server: ServerParameters;

  constructor(server: ServerParameters) {
    this.#server = server;
  }

  handle(
    message: Received<'certificate_request' | 'certificate'>,
    port: Port,
  ): ClientNext<'ExpectCertificateOrRequest'> {
    if (message.name === 'certificate') {
      return receiveChain(this.#server, undefined, message as Received<'certificate'>, port);
    }
    const request = message.body as CertificateRequest;
    // RFC 8446 4.3.2: certificate_request_context "SHALL be zero length unless used for the post-handshake
    // authentication exchanges described in Section 4.6.2".
    if (request.context.length > 0) fail('illegal-parameter', 'certificate_request_context is not empty');
    port.transcript.add(message.raw);
    return new ExpectCertificate(this.#server, request);
  }
}

class ExpectCertificate implements ClientState<'ExpectCertificate'> {
  readonly name = 'ExpectCertificate';
  readonly #server: ServerParameters;
  readonly #request: CertificateRequest;

  constructor(server: ServerParameters, request: CertificateRequest) {
    this.#server = server;
    this.#request = request;
  }

  handle(message: Received<'certificate'>, port: Port): ClientNext<'ExpectCertificate'> {
    return receiveChain(this.#server, this.#request, message, port);
  }
}

/** RFC 8446 4.4.2.4. */
function receiveChain(
  server: ServerParameters,
  request: CertificateRequest | undefined,
  message: Received<'certificate'>,
  port: Port,
): ValidatingChain {
  const { chain, context } = message.body;
  if (context.length > 0) fail('illegal-parameter', "the context of the server's Certificate is not empty");
  if (chain.length === 0) fail('server-certificate-missing');
  const { requestOcspResponse } = server.context.config;
  const status = leafStatus(message.body, requestOcspResponse ? ['status_request'] : []);
  port.transcript.add(message.raw);
  const presented = { role: 'server', chain, ...(status && { ocspResponse: status }) } as const;
  return new ValidatingChain(server, request, presented, port);
}

/** Waits for the verifier. */
class ValidatingChain implements ClientState<'ValidatingChain'> {
  readonly name = 'ValidatingChain';
  readonly pending: Pending<ClientNext<'ValidatingChain'>>;

  constructor(
    server: ServerParameters,
    request: CertificateRequest | undefined,
    presented: PresentedChain,
    port: Port,
  ) {
    const { verifier } = server.context.config;
    this.pending = pause(
      'validate-chain',
      'verifier-failed',
      port,
      () => verifier.verify(presented),
      (verdict) =>
        new ExpectCertificateVerify(server, request, acceptVerdict(verdict, verifier), presented.chain),
    );
  }
}
