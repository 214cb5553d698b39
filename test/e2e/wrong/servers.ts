import type { Socket } from 'node:net';
import tls from 'node:tls';
import { ignoreEvents, type ServerConfig } from '#handshake';
import { nodeProvider } from '#handshake/crypto';
import { acceptTls } from '#handshake/stream';
import { systemClock } from '#runtime';
import { lyingFinished } from '../../support/lying-finished.ts';
import { believed, credulous, right, wrongCertificates } from './certificates.ts';

/** Whom a sidecar reaches where it expects `orders`: wrong in one way. */
export interface WrongServer {
  readonly wrong: string;
  /** The code in the caller's log, metrics and span. */
  readonly reason: string;
  /** Who calls it: one with short times, where its weapon is time. */
  readonly calledBy?: 'hasty';
  /** Gets each connection; returns what it hears of the application inside TLS, if it comes so far. */
  serve(socket: Socket): void;
}

const ORDERS = 'spiffe://mesh.test/ns/shop/sa/orders';

const RIGHT: ServerConfig = {
  crypto: nodeProvider,
  alpn: ['sallyport/1'],
  credential: right(ORDERS),
  clientAuthentication: { mode: 'request', required: true, verifier: credulous },
};

/** What came to a wrong server after a handshake that should not have held. */
export const heard: Buffer[] = [];

/** Our own engine. */
function engine(config: Partial<ServerConfig>, tampering?: typeof lyingFinished): WrongServer['serve'] {
  return (socket) => {
    const { crypto = nodeProvider, observe = ignoreEvents } = tampering?.() ?? {};
    const stream = acceptTls(
      socket,
      { ...RIGHT, ...config, crypto },
      { clock: systemClock, handshakeTimeoutMilliseconds: 10_000, observer: observe },
    );
    stream.on('error', () => undefined).on('data', (data: Buffer) => heard.push(data));
  };
}

/** Bytes as they are in answer to the first that come, then silence (or an end). */
function raw(
  answer: Uint8Array | string,
  then: 'silence' | 'fin' | 'reset' = 'silence',
): WrongServer['serve'] {
  return (socket) => {
    socket.once('data', () => {
      if (answer.length > 0) socket.write(answer);
      if (then === 'fin') socket.end();
      if (then === 'reset') socket.resetAndDestroy();
    });
    socket.on('end', () => socket.end());
  };
}

/** Node's own TLS, which only speaks what our client doesn't. */
function node(options: tls.SecureContextOptions): WrongServer['serve'] {
  const secureContext = tls.createSecureContext({ ...pemOf(ORDERS), ...options });
  return (socket) => {
    const stream = new tls.TLSSocket(socket, { isServer: true, secureContext });
    stream.on('error', () => undefined).on('data', (data: Buffer) => heard.push(data));
  };
}

function pemOf(spiffeId: string): { cert: string; key: string } {
  const { pem } = believed.makeLeaf({ spiffeId });
  return { cert: pem.chain, key: pem.key };
}

/** RFC 5246 7.4.1.3: a ServerHello of TLS 1.2, which our ClientHello never offered. */
const SERVER_HELLO_12 = Buffer.concat([
  Buffer.from([0x16, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3]),
  Buffer.alloc(32, 0x2a),
  Buffer.from([0, 0xc0, 0x2b, 0]),
]);

export const WRONG_SERVERS: readonly WrongServer[] = [
  ...wrongCertificates(ORDERS, 'server').map(({ wrong, reason, credential }) => ({
    wrong,
    reason,
    serve: engine({ credential }),
  })),
  {
    wrong: 'wrong SPIFFE ID',
    reason: 'spiffe-id-mismatch',
    serve: engine({ credential: right('spiffe://mesh.test/ns/shop/sa/payments') }),
  },
  { wrong: 'tampered Finished', reason: 'incorrect-finished', serve: engine({}, lyingFinished) },
  { wrong: 'no protocol', reason: 'no-common-alpn', serve: engine({ alpn: [] }) },
  { wrong: 'another protocol, as its alert says', reason: 'alert-received', serve: engine({ alpn: ['h2'] }) },
  {
    wrong: 'TLS 1.2 only, as its alert says',
    reason: 'alert-received',
    serve: node({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }),
  },
  {
    wrong: 'no common group, as its alert says',
    reason: 'alert-received',
    serve: node({ ecdhCurve: 'P-521' }),
  },
  {
    wrong: 'no common suite, as its alert says',
    reason: 'alert-received',
    serve: node({ ciphers: 'TLS_AES_128_CCM_SHA256' }),
  },
  { wrong: 'a ServerHello of TLS 1.2', reason: 'no-common-version', serve: raw(SERVER_HELLO_12) },
  { wrong: 'plaintext', reason: 'not-tls', serve: raw('HTTP/1.1 400 Bad Request\r\n\r\n') },
  {
    wrong: '1-byte records of garbage',
    reason: 'unexpected-message',
    serve: raw(
      Buffer.concat([...Buffer.from('garbage')].map((byte) => Buffer.from([0x16, 3, 3, 0, 1, byte]))),
    ),
  },
  { wrong: 'FIN instead of a ServerHello', reason: 'closed-in-handshake', serve: raw('', 'fin') },
  { wrong: 'reset instead of a ServerHello', reason: 'transport-failed', serve: raw('', 'reset') },
  {
    wrong: 'FIN in the middle of a ServerHello',
    reason: 'closed-in-handshake',
    serve: raw(SERVER_HELLO_12.subarray(0, 20), 'fin'),
  },
  { wrong: 'silence', reason: 'handshake-timeout', calledBy: 'hasty', serve: raw('') },
  {
    wrong: 'a stall in the middle of a ServerHello',
    reason: 'handshake-timeout',
    calledBy: 'hasty',
    serve: raw(SERVER_HELLO_12.subarray(0, 20)),
  },
];
