import { equal, fromAscii } from '#runtime';
import { decodeCookie } from '../../extensions/cookie.ts';
import { decodeRetryGroup } from '../../extensions/key-share.ts';
import { decodeSelectedVersion, TLS13 } from '../../extensions/supported-versions.ts';
import { type GroupName, groupName } from '../../groups.ts';
import { WEAK_SUITES, WEAK_VERSIONS, weaknessOf } from '../../legacy/weaknesses.ts';
import type { Received } from '../../messages/message.ts';
import type { ServerHello } from '../../messages/server-hello.ts';
import type { Port } from '../../port.ts';
import { fail } from '../../reasons.ts';
import type { ClientNext, ClientState } from '../../states.ts';
import { type SuiteName, SUITES, suiteName } from '../../suites.ts';
import { makeKeyShares, sendClientHello } from './client-hello.ts';
import type { ClientContext, SentHello } from './context.ts';
import { acceptServerHello } from './server-hello.ts';

/** RFC 8446 4.1.3 and 4.1.4: the first answer is a ServerHello or a HelloRetryRequest. */
export class ExpectServerHello implements ClientState<'ExpectServerHello'> {
  readonly name = 'ExpectServerHello';
  readonly #context: ClientContext;
  readonly #sent: SentHello;

  constructor(context: ClientContext, sent: SentHello) {
    this.#context = context;
    this.#sent = sent;
  }

  handle(message: Received<'server_hello'>, port: Port): ClientNext<'ExpectServerHello'> {
    const suite = checkHello(message.body, this.#context);
    port.transcript.start(SUITES[suite].hash);
    if (!message.body.isRetry) {
      return acceptServerHello(this.#context, this.#sent, message, { suite, helloRetry: false }, port);
    }
    return this.#retry(message, suite, port);
  }

  #retry(message: Received<'server_hello'>, suite: SuiteName, port: Port): ExpectSecondServerHello {
    const { extensions } = message.body;
    // RFC 8446 4.2: besides supported_versions a HelloRetryRequest may ask for a cookie, which nobody offers first.
    extensions.requireSolicited([...this.#sent.offered, 'cookie'], 'HRR');
    const cookie = extensions.get('cookie');
    const share = extensions.get('key_share');
    // RFC 8446 4.1.4: "Clients MUST abort [...] if the HelloRetryRequest would not result in any change".
    if (cookie === undefined && share === undefined) fail('illegal-hello-retry', 'it asks for no change');
    // RFC 8446 4.1.2: without a key_share here, the second ClientHello has the shares of the first.
    const group = share === undefined ? undefined : this.#askedGroup(decodeRetryGroup(share));
    // What follows in the same flight was sent before our answer, which a server has to wait for.
    port.requireAligned();
    port.transcript.replaceByHash();
    port.transcript.add(message.raw);
    port.sendChangeCipherSpec();
    const shares = group === undefined ? this.#sent.keyShares : makeKeyShares([group], port);
    // RFC 8446 4.2.10: a retry refuses early data; the second ClientHello goes out in the open.
    if (this.#sent.earlyData) {
      port.earlyOutput.close();
      port.stopWriteKeys();
    }
    const offer = this.#sent.offer?.narrow(SUITES[suite].hash);
    const sent = sendClientHello(this.#context, shares, cookie && decodeCookie(cookie), offer, port, 'again');
    return new ExpectSecondServerHello(this.#context, sent, suite);
  }

  /** RFC 8446 4.2.8: the group must have been offered, and no share for it sent. */
  #askedGroup(id: number): GroupName {
    const asked = groupName(id);
    if (asked === undefined || !this.#context.parameters.groups.includes(asked)) {
      fail('unoffered-choice', 'HelloRetryRequest: a group that was not offered');
    }
    if (this.#sent.keyShares.some(({ group }) => group === asked)) {
      fail('illegal-hello-retry', `a share for ${asked} was already sent`);
    }
    return asked;
  }
}

/** After a HelloRetryRequest only a ServerHello may come, with the same choice of suite. */
export class ExpectSecondServerHello implements ClientState<'ExpectSecondServerHello'> {
  readonly name = 'ExpectSecondServerHello';
  readonly #context: ClientContext;
  readonly #sent: SentHello;
  readonly #suite: SuiteName;

  constructor(context: ClientContext, sent: SentHello, suite: SuiteName) {
    this.#context = context;
    this.#sent = sent;
    this.#suite = suite;
  }

  handle(message: Received<'server_hello'>, port: Port): ClientNext<'ExpectSecondServerHello'> {
    // RFC 8446 4.1.4: a second HelloRetryRequest ends the handshake with unexpected_message.
    if (message.body.isRetry) fail('unexpected-message', 'a second HelloRetryRequest');
    const suite = checkHello(message.body, this.#context);
    if (suite !== this.#suite) fail('illegal-hello-retry', `suite ${this.#suite} became ${suite}`);
    return acceptServerHello(this.#context, this.#sent, message, { suite, helloRetry: true }, port);
  }
}

/** The checks that ServerHello and HelloRetryRequest share (RFC 8446 4.1.3). Version first: it gives the best reason. */
function checkHello(hello: ServerHello, context: ClientContext): SuiteName {
  const version = hello.extensions.get('supported_versions');
  if (version === undefined) refuseOldVersion(hello);
  const selected = decodeSelectedVersion(version);
  // RFC 8446 4.2.1: a selected version that was not offered, or is older than 1.3, is illegal_parameter.
  if (selected !== TLS13) fail('unoffered-choice', `version ${hexVersion(selected)}`);
  if (hello.legacyVersion !== 0x0303)
    fail('illegal-parameter', `legacy_version ${hexVersion(hello.legacyVersion)}`);
  if (!equal(hello.sessionId, context.sessionId)) {
    fail('illegal-parameter', 'legacy_session_id_echo is not what was sent');
  }
  if (hello.compressionMethod !== 0) fail('compression-chosen', `method ${hello.compressionMethod}`);
  const suite = suiteName(hello.suite);
  if (suite === undefined || !context.parameters.suites.includes(suite)) {
    const weak = weaknessOf(WEAK_SUITES, hello.suite);
    fail(weak === undefined ? 'unoffered-choice' : `${weak}-chosen`, `suite ${hexVersion(hello.suite)}`);
  }
  return suite;
}

/** RFC 8446 4.1.3: a server that could speak TLS 1.3 but was asked for less says so in the end of its random. */
function refuseOldVersion(hello: ServerHello): never {
  const answered = `the server answered with version ${hexVersion(hello.legacyVersion)}`;
  const end = hello.random.subarray(-DOWNGRADE_SENTINEL.length - 1);
  if (equal(end.subarray(0, -1), DOWNGRADE_SENTINEL) && end.at(-1)! <= 1)
    fail('downgrade-detected', answered);
  const weak = weaknessOf(WEAK_VERSIONS, hello.legacyVersion);
  return fail(weak === undefined || weak === 'ssl2' ? 'no-common-version' : `${weak}-chosen`, answered);
}

/** "DOWNGRD"; a byte 1 follows for TLS 1.2 and 0 for less. */
const DOWNGRADE_SENTINEL = fromAscii('DOWNGRD');

function hexVersion(version: number): string {
  return `0x${version.toString(16).padStart(4, '0')}`;
}
