/**
 * The clients, in a process of their own, so that a server's CPU is its own. Reads a
 * LoadOrder as JSON from standard input; prints what was done as JSON.
 */
import { createPrivateKey } from 'node:crypto';
import { text } from 'node:stream/consumers';
import tls from 'node:tls';
import { REQUEST_BYTES, type ServerOrder } from './kinds.ts';

export interface LoadOrder extends Pick<ServerOrder, 'work' | 'root' | 'group'> {
  readonly port: number;
  /** PEM, one for each client in turn. */
  readonly clients: readonly { readonly chain: string; readonly key: string }[];
  readonly concurrency: number;
  readonly milliseconds: number;
  readonly bytes: number;
  readonly writeBytes: number;
}

export interface LoadResult {
  /** Handshakes, or bytes of content. */
  readonly done: number;
}

const order = JSON.parse(await text(process.stdin)) as LoadOrder;
const contexts = order.clients.map(({ chain, key }) =>
  tls.createSecureContext({
    cert: chain,
    key: createPrivateKey(key).export({ format: 'pem', type: 'pkcs8' }),
    ca: order.root,
    minVersion: 'TLSv1.3',
    ciphers: 'TLS_AES_128_GCM_SHA256',
    ecdhCurve: order.group.openssl,
  }),
);
let [turn, done] = [0, 0];
const end = Date.now() + order.milliseconds;
await Promise.all(Array.from({ length: order.concurrency }, client));
console.log(JSON.stringify({ done } satisfies LoadResult));

async function client(): Promise<void> {
  while (Date.now() < end) {
    const socket = connect();
    if (order.work === 'full') {
      socket.write('a');
      await answer(socket, 1);
      done += 1;
    } else {
      while (Date.now() < end) await transfer(socket);
    }
    socket.destroy();
  }
}

function connect(): tls.TLSSocket {
  const secureContext = contexts[turn % contexts.length];
  turn += 1;
  return tls.connect({
    port: order.port,
    host: '127.0.0.1',
    ...(secureContext === undefined ? {} : { secureContext }),
    ALPNProtocols: ['bench'],
    // The certificate names a workload, not a host; what is measured is the server.
    checkServerIdentity: () => undefined,
  });
}

async function transfer(socket: tls.TLSSocket): Promise<void> {
  const request = Buffer.alloc(REQUEST_BYTES);
  request.writeBigUInt64BE(BigInt(order.bytes));
  socket.write(request);
  if (order.work === 'out') {
    await answer(socket, order.bytes);
    done += order.bytes;
    return;
  }
  const chunk = Buffer.alloc(order.writeBytes, 'a');
  for (let rest = order.bytes; rest > 0; rest -= chunk.length) {
    const part = rest >= chunk.length ? chunk : chunk.subarray(0, rest);
    if (!socket.write(part)) await new Promise((resolve) => socket.once('drain', resolve));
  }
  await answer(socket, 1);
  done += order.bytes;
}

function answer(socket: tls.TLSSocket, length: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = 0;
    const take = (data: Buffer): void => {
      seen += data.length;
      if (seen < length) return;
      socket.off('data', take);
      socket.off('error', reject);
      socket.off('close', lost);
      resolve();
    };
    const lost = (): void => reject(new Error('the server closed the connection'));
    socket.on('data', take).once('error', reject).once('close', lost);
  });
}
