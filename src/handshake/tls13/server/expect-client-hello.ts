import { encodeExtensions } from '../../extensions/extensions.ts';
import { TLS13 } from '../../extensions/supported-versions.ts';
import { GROUPS } from '../../groups.ts';
import { weakOffers } from '../../legacy/offers.ts';
import type { Received } from '../../messages/message.ts';
import { encodeServerHello, HELLO_RETRY_RANDOM } from '../../messages/server-hello.ts';
import type { Port } from '../../port.ts';
import { fail } from '../../reasons.ts';
import type { ServerNext, ServerState } from '../../states.ts';
import { SUITES } from '../../suites.ts';
import { u16 } from '../../wire/writer.ts';
import { choose, requireSameHello } from './choose.ts';
import type { Choice, ServerContext } from './context.ts';
import { ExpectEndOfEarlyData } from './expect-end-of-early-data.ts';
import { answerClientHello } from './resumed-flight.ts';

/** RFC 8446 4.1.2. */
export class ExpectClientHello implements ServerState<'ExpectClientHello'> {
  readonly name = 'ExpectClientHello';
  readonly #context: ServerContext;

  constructor(context: ServerContext) {
    this.#context = context;
  }

  handle(message: Received<'client_hello'>, port: Port): ServerNext<'ExpectClientHello'> {
    const hello = message.body;
    port.emit({
      type: 'client-hello',
      random: hello.random,
      serverName: hello.serverName,
      alpn: hello.alpn ?? [],
    });
    const choice = choose(hello, this.#context);
    const weaknesses = weakOffers(hello);
    if (weaknesses.length > 0) port.emit({ type: 'weak-offer', weaknesses });
    if (choice.retry) {
      port.transcript.add(message.raw);
      port.transcript.start(SUITES[choice.suite].hash);
      return sendHelloRetry(this.#context, choice, port);
    }
    return answerClientHello({ context: this.#context, choice, helloRetry: false }, message.raw, port);
  }
}

/** RFC 8446 4.1.4. The server keeps its state, so it needs no cookie. */
function sendHelloRetry(context: ServerContext, choice: Choice, port: Port): ExpectSecondClientHello {
  port.requireAligned();
  port.transcript.replaceByHash();
  const body = encodeServerHello({
    random: HELLO_RETRY_RANDOM,
    sessionId: choice.hello.sessionId,
    suite: SUITES[choice.suite].id,
    extensions: encodeExtensions([
      ['supported_versions', u16(TLS13)],
      ['key_share', u16(GROUPS[choice.group].id)],
    ]),
  });
  port.send('server_hello', body);
  if (choice.hello.sessionId.length > 0) port.sendChangeCipherSpec();
  // RFC 8446 4.2.10: a retry refuses early data, which is already on its way.
  if (choice.hello.offersEarlyData) port.earlyInput.skip('skipping-sealed');
  return new ExpectSecondClientHello(context, choice);
}

class ExpectSecondClientHello implements ServerState<'ExpectSecondClientHello'> {
  readonly name = 'ExpectSecondClientHello';
  readonly #context: ServerContext;
  readonly #first: Choice;

  constructor(context: ServerContext, first: Choice) {
    this.#context = context;
    this.#first = first;
  }

  handle(message: Received<'client_hello'>, port: Port): ServerNext<'ExpectSecondClientHello'> {
    const hello = message.body;
    requireSameHello(this.#first.hello, hello, this.#first.group);
    const choice = choose(hello, this.#context);
    if (choice.suite !== this.#first.suite || choice.group !== this.#first.group) {
      fail('illegal-hello-retry', 'the second ClientHello leads to another choice');
    }
    port.earlyInput.end();
    const next = answerClientHello({ context: this.#context, choice, helloRetry: true }, message.raw, port);
    if (next instanceof ExpectEndOfEarlyData) throw new Error('early data after a retry');
    return next;
  }
}
