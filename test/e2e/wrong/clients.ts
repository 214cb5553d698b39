import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { type ClientConfig, ignoreEvents } from '#handshake';
import { nodeProvider } from '#handshake/crypto';
import { connectTls } from '#handshake/stream';
import { systemClock } from '#runtime';
import type { Endpoint } from '#sidecar';
import { lyingFinished } from '../../support/lying-finished.ts';
import { credulous, right, wrongCertificates } from './certificates.ts';

/** A client that speaks to a sidecar's inbound and is wrong in one way. */
export interface WrongClient {
  readonly wrong: string;
  /** The code in the callee's log, metrics and span. */
  readonly reason: string;
  /** Nothing of TLS came, so there is no handshake to tell of. */
  readonly handshake?: 'none';
  /** Which service it is tried on: one with short times, where its weapon is time. */
  readonly meets?: 'impatient';
  /** Resolves when its connection is over. */
  attack(target: Endpoint): Promise<void>;
}

const WEB = 'spiffe://mesh.test/ns/shop/sa/web';
const SERVER_NAME = 'p8080.mesh.test';
/** What the application must never see. */
const SECRET = 'must not arrive';

const ANONYMOUS: ClientConfig = {
  crypto: nodeProvider,
  alpn: ['sallyport/1'],
  serverName: SERVER_NAME,
  verifier: credulous,
};
/** What a sidecar of this mesh would send. */
const RIGHT: ClientConfig = { ...ANONYMOUS, credential: right(WEB) };

/** Our own engine; sends the secret as soon as it may. */
function engine(config: ClientConfig, tampering?: typeof lyingFinished): WrongClient['attack'] {
  return async (target) => {
    const socket = await open(target);
    const { crypto = config.crypto, observe = ignoreEvents } = tampering?.() ?? {};
    const stream = connectTls(
      socket,
      { ...config, crypto },
      { clock: systemClock, handshakeTimeoutMilliseconds: 10_000, observer: observe },
    );
    stream.on('error', () => undefined).resume();
    stream.write(SECRET, () => undefined);
    await new Promise((resolve) => stream.once('close', resolve));
    socket.destroy();
  };
}

/** Bytes as they are, then silence (or FIN). */
function raw(bytes: Uint8Array | string, then: 'silence' | 'fin' = 'silence'): WrongClient['attack'] {
  return async (target) => {
    const socket = await open(target);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('data', () => undefined);
    socket.on('end', () => socket.end());
    if (bytes.length > 0) socket.write(bytes);
    if (then === 'fin') socket.end();
    await closed;
  };
}

/** Node's own TLS, for what our engine can't be made to do. */
function node(options: tls.ConnectionOptions): WrongClient['attack'] {
  return async (target) => {
    const socket = tls.connect({
      ...target,
      servername: SERVER_NAME,
      ALPNProtocols: ['sallyport/1'],
      rejectUnauthorized: false,
      ...options,
    });
    socket.on('error', () => undefined).resume();
    socket.write(SECRET);
    await new Promise((resolve) => socket.once('close', resolve));
  };
}

async function open({ host, port }: Endpoint): Promise<net.Socket> {
  const socket = net.connect({ host, port, allowHalfOpen: true, noDelay: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** The first flight of a right client: its ClientHello in one record. */
function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const listener = net.createServer((socket) => {
      socket.once('data', (bytes: Buffer) => {
        resolve(bytes);
        socket.destroy();
        listener.close();
      });
    });
    listener.listen(0, '127.0.0.1', () => {
      const { port } = listener.address() as net.AddressInfo;
      void engine(RIGHT)({ host: '127.0.0.1', port });
    });
  });
}

const hello = await clientHello();

/** RFC 8446 5.1: TLSPlaintext of type handshake, one byte each. */
function oneByteRecords(bytes: Uint8Array): Buffer {
  return Buffer.concat([...bytes].map((byte) => Buffer.from([0x16, 3, 1, 0, 1, byte])));
}

export const WRONG_CLIENTS: readonly WrongClient[] = [
  {
    wrong: 'no certificate',
    reason: 'certificate-required',
    attack: engine(ANONYMOUS),
  },
  ...wrongCertificates(WEB, 'client').map(({ wrong, reason, credential }) => ({
    wrong,
    reason,
    attack: engine({ ...RIGHT, credential }),
  })),
  {
    wrong: 'wrong SPIFFE ID: no policy lets it in',
    reason: 'no-policy-allows',
    attack: engine({ ...RIGHT, credential: right('spiffe://mesh.test/ns/shop/sa/intruder') }),
  },
  {
    wrong: 'tampered Finished',
    reason: 'incorrect-finished',
    attack: engine(RIGHT, lyingFinished),
  },
  {
    wrong: 'another server name',
    reason: 'server-name-mismatch',
    attack: engine({ ...RIGHT, serverName: 'p8081.mesh.test' }),
  },
  { wrong: 'another protocol', reason: 'no-common-alpn', attack: engine({ ...RIGHT, alpn: ['h2'] }) },
  { wrong: 'no protocol', reason: 'no-common-alpn', attack: engine({ ...RIGHT, alpn: [] }) },
  { wrong: 'TLS 1.2 only', reason: 'no-common-version', attack: node({ maxVersion: 'TLSv1.2' }) },
  { wrong: 'no common group', reason: 'no-common-group', attack: node({ ecdhCurve: 'P-521' }) },
  {
    wrong: 'no common suite',
    reason: 'no-common-suite',
    attack: node({ ciphers: 'TLS_AES_128_CCM_SHA256' }),
  },
  {
    wrong: 'no common signature scheme',
    reason: 'no-common-scheme',
    attack: node({ sigalgs: 'RSA-PSS+SHA256' }),
  },
  { wrong: 'plaintext', reason: 'plaintext-refused', attack: raw(`GET /${SECRET} HTTP/1.1\r\n\r\n`) },
  { wrong: 'garbage that begins like TLS', reason: 'not-tls', attack: raw(Buffer.from(`\x16${SECRET}`)) },
  {
    wrong: '1-byte records of garbage',
    reason: 'unexpected-message',
    attack: raw(oneByteRecords(Buffer.from(SECRET))),
  },
  {
    wrong: 'a ClientHello with one bit flipped in its middle, where a length stands',
    reason: 'malformed-message',
    attack: raw(hello.map((byte, index) => (index === 5 + 4 + 2 + 32 ? byte ^ 0x80 : byte))),
  },
  {
    wrong: 'a record longer than TLS allows',
    reason: 'record-overflow',
    attack: raw(Buffer.from([0x16, 3, 3, 0xff, 0xff])),
  },
  {
    wrong: 'a ClientHello, then a record that nobody could have sealed',
    reason: 'bad-record-mac',
    attack: raw(Buffer.concat([hello, Buffer.from([0x17, 3, 3, 0, 32]), Buffer.alloc(32, 7)])),
  },
  {
    wrong: 'FIN in the middle of its ClientHello',
    reason: 'closed-in-handshake',
    attack: raw(hello.subarray(0, 100), 'fin'),
  },
  { wrong: 'FIN after its ClientHello', reason: 'closed-in-handshake', attack: raw(hello, 'fin') },
  {
    wrong: 'silence from the start',
    reason: 'first-byte-timeout',
    handshake: 'none',
    meets: 'impatient',
    attack: raw(''),
  },
  {
    wrong: 'a stall in the middle of its ClientHello',
    reason: 'handshake-timeout',
    meets: 'impatient',
    attack: raw(hello.subarray(0, 100)),
  },
  {
    wrong: 'a stall after its ClientHello',
    reason: 'handshake-timeout',
    meets: 'impatient',
    attack: raw(hello),
  },
];
