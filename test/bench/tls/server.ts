/**
 * A server under measurement, in a process of its own. Prints its port. For each connection: work "full" answers the
 * first byte with one byte; "out" sends as many bytes as it is asked for; "in" reads as many and answers one byte.
 */
import { createPrivateKey } from 'node:crypto';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import tls from 'node:tls';
import type { Credential } from '#handshake';
import { type CryptoProvider, nodeProvider, nodeSigner, openOpensslProvider } from '#handshake/crypto';
import { acceptTls } from '#handshake/stream';
import { createTrustBundle, spiffeVerifier } from '#identity';
import { systemClock, Watch } from '#runtime';
import { REQUEST_BYTES, type ServerOrder } from './kinds.ts';

const order = JSON.parse(await text(process.stdin)) as ServerOrder;
const server = order.kind === 'node-tls' ? nodeServer() : await engineServer();
process.once('SIGINT', () => process.exit(0));
server.listen(0, '127.0.0.1', 4096, () => {
  console.log((server.address() as net.AddressInfo).port);
});

function nodeServer(): net.Server {
  return tls.createServer(
    {
      key: order.key,
      cert: order.chain,
      ca: order.root,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
      ciphers: 'TLS_AES_128_GCM_SHA256',
      ecdhCurve: order.group.openssl,
      ALPNProtocols: ['bench'],
      noDelay: true,
    },
    serve,
  );
}

async function engineServer(): Promise<net.Server> {
  const openssl = order.kind === 'engine-openssl' ? await openOpensslProvider(console.error) : undefined;
  const crypto: CryptoProvider = openssl ?? nodeProvider;
  const privateKey = createPrivateKey(order.key);
  const credential: Credential = {
    chain: ders(order.chain),
    signer: openssl === undefined ? nodeSigner(privateKey) : openssl.signer(privateKey),
  };
  const bundle = createTrustBundle('mesh.test', ders(order.root));
  if (!bundle.ok) throw new Error(bundle.error.join());
  const verifier = spiffeVerifier({ bundle: new Watch(bundle.value), clock: systemClock });
  const config = {
    crypto,
    alpn: ['bench'],
    suites: ['TLS_AES_128_GCM_SHA256'] as const,
    groups: [order.group.engine],
    credential,
    clientAuthentication: { mode: 'request' as const, required: true, verifier },
  };
  const options = {
    clock: systemClock,
    handshakeTimeoutMilliseconds: 20_000,
    observer: () => undefined,
  };
  return net.createServer({ noDelay: true, allowHalfOpen: true }, (socket) =>
    serve(acceptTls(socket, config, options)),
  );
}

function serve(stream: Duplex): void {
  stream.on('error', () => undefined);
  stream.on('end', () => stream.end());
  if (order.work === 'full') stream.on('data', () => stream.write('a'));
  else stream.on('data', byRequest(stream));
}

/** Reads requests one after the other: how many bytes to send, or how many follow. */
function byRequest(stream: Duplex): (data: Buffer) => void {
  const chunk = Buffer.alloc(order.writeBytes, 'a');
  let head = Buffer.alloc(0);
  let rest = 0;
  return (data) => {
    let body = data;
    if (rest === 0) {
      const missing = REQUEST_BYTES - head.length;
      head = Buffer.concat([head, data.subarray(0, missing)]);
      if (head.length < REQUEST_BYTES) return;
      const wanted = Number(head.readBigUInt64BE());
      head = Buffer.alloc(0);
      if (order.work === 'out') {
        send(stream, chunk, wanted);
        return;
      }
      rest = wanted;
      body = data.subarray(missing);
    }
    rest -= body.length;
    if (rest === 0) stream.write('a');
  };
}

function send(stream: Duplex, chunk: Buffer, length: number): void {
  let rest = length;
  const more = (): void => {
    while (rest > 0) {
      const part = rest >= chunk.length ? chunk : chunk.subarray(0, rest);
      rest -= part.length;
      if (!stream.write(part)) {
        stream.once('drain', more);
        return;
      }
    }
  };
  more();
}

function ders(pem: string): Uint8Array[] {
  return [...pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END/g)].map(([, text]) =>
    Buffer.from(text ?? '', 'base64'),
  );
}
