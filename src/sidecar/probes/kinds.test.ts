import { createServer, type RequestListener } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { nodeProvider } from '#handshake/crypto';
import { TlsError } from '#handshake';
import { makeAuthority } from '#identity/testing';
import { systemClock } from '#runtime';
import type { CheckedConfig } from '../config.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { SIDECAR_REASONS } from '../reason.ts';
import type { ProbeContext } from './dial.ts';
import { probeGrpc } from './grpc-probe.ts';
import { probeHttp } from './http-probe.ts';
import type { HttpTarget } from './probe.ts';
import { probeTcp } from './tcp-probe.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listening(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

const serve = (listener: RequestListener): Promise<number> => listening(createServer(listener));

function context(more: Partial<ProbeContext> = {}): ProbeContext {
  // All that probes need of it.
  const config = { clock: systemClock, crypto: nodeProvider, limits: DEFAULT_LIMITS } as CheckedConfig;
  return {
    host: '127.0.0.1',
    timeoutMilliseconds: 2_000,
    asking: { userAgent: 'kube-probe/1.36', accept: '*/*' },
    config,
    isSidecarPort: (port) => port === 15_020,
    signal: new AbortController().signal,
    ...more,
  };
}

function http(port: number, more: Partial<HttpTarget> = {}): HttpTarget {
  return { kind: 'http', port, path: '/', scheme: 'HTTP', headers: [], ...more };
}

const refusal = (code: string): unknown =>
  expect.objectContaining({ reason: expect.objectContaining({ code }) });

test('every status is passed on', async () => {
  const port = await serve((request, response) => response.writeHead(Number(request.url?.slice(1))).end('x'));
  for (const status of [200, 204, 304, 399, 400, 404, 500, 503]) {
    expect(await probeHttp(http(port, { path: `/${status}` }), context())).toBe(status);
  }
});

test('asks as the kubelet asks: path, query, host and headers', async () => {
  const seen: unknown[] = [];
  const port = await serve(({ method, url, rawHeaders }, response) => {
    seen.push([method, url, rawHeaders.filter((_, index) => index % 2 === 0), rawHeaders.join()]);
    response.end();
  });
  await probeHttp(http(port, { path: 'live?x=a b#c' }), context());
  expect(seen[0]).toMatchObject([
    'GET',
    '/live?x=a%20b',
    ['user-agent', 'accept', 'host', 'Connection'],
    expect.any(String),
  ]);
  expect(JSON.stringify(seen[0])).toContain(`host,127.0.0.1:${port},`);
  const headers = [
    { name: 'Host', value: 'shop.example' },
    { name: 'Accept', value: '' },
    { name: 'X-Two', value: 'a' },
    { name: 'x-two', value: 'b' },
    { name: 'User-Agent', value: 'mine' },
  ];
  await probeHttp(http(port, { path: '//evil.example/x', headers }), context());
  expect(seen[1]).toMatchObject([
    'GET',
    '//evil.example/x',
    ['user-agent', 'x-two', 'x-two', 'host', 'Connection'],
    expect.any(String),
  ]);
  expect(JSON.stringify(seen[1])).toContain('mine,x-two,a,x-two,b,host,shop.example');
});

test('redirects to the same host are followed, others are a success', async () => {
  const hosts: (string | undefined)[] = [];
  const elsewhere = await serve((_, response) => response.writeHead(418).end());
  const port = await serve(({ url, headers }, response) => {
    hosts.push(headers.host);
    const location = {
      '/one': '/two',
      '/two': `http://127.0.0.1:${elsewhere}/`,
      '/away': 'http://shop.example/',
      '/loop': '/loop',
      '/self': 'http://127.0.0.1:15020/probe/x',
      '/file': 'file://127.0.0.1/etc/passwd',
    }[url ?? ''];
    response.writeHead(302, { location }).end();
  });
  const ask = (path: string): Promise<number> =>
    probeHttp(http(port, { path, headers: [{ name: 'host', value: 'a.b' }] }), context());
  expect(await ask('/one')).toBe(418);
  expect(hosts.splice(0)).toEqual(['a.b', 'a.b']);
  expect(await ask('/away')).toBe(302);
  for (const path of ['/loop', '/self', '/file'])
    await expect(ask(path), path).rejects.toEqual(refusal('probe-answer-invalid'));
});

test('a body is read to its end, but no further than the kubelet reads', async () => {
  const port = await serve((request, response) => {
    if (request.url === '/endless') {
      const more = (): void =>
        void (response.write('x'.repeat(1024)) ? setImmediate(more) : response.once('drain', more));
      response.on('error', () => undefined);
      more();
    } else {
      response.writeHead(200, { 'content-length': 10 }).write('cut');
      setImmediate(() => response.destroy());
    }
  });
  expect(await probeHttp(http(port, { path: '/endless' }), context())).toBe(200);
  await expect(probeHttp(http(port, { path: '/cut' }), context())).rejects.toEqual(
    refusal('probe-answer-invalid'),
  );
});

test('what is not HTTP, too much of it, or nobody, is no answer', async () => {
  const port = await listening(
    createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('SSH-2.0-OpenSSH_9.2\r\n');
    }),
  );
  await expect(probeHttp(http(port), context())).rejects.toEqual(refusal('probe-answer-invalid'));
  const large = await serve((_, response) =>
    response.writeHead(200, { 'x-large': 'x'.repeat(70_000) }).end(),
  );
  await expect(probeHttp(http(large), context())).rejects.toEqual(refusal('probe-answer-invalid'));
  const upgrade = await listening(
    createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
    }),
  );
  await expect(probeHttp(http(upgrade), context())).rejects.toEqual(refusal('probe-answer-invalid'));
  const closed = createTcpServer();
  const nobody = await listening(closed);
  await new Promise((resolve) => closed.close(resolve));
  await expect(probeHttp(http(nobody), context())).rejects.toEqual(refusal('application-unreachable'));
  await expect(probeTcp({ kind: 'tcp', port: nobody }, context())).rejects.toEqual(
    refusal('application-unreachable'),
  );
  await expect(probeGrpc({ kind: 'grpc', port: nobody, service: '' }, context())).rejects.toEqual(
    refusal('application-unreachable'),
  );
});

const KEY_TYPES = ['ec-p256', 'ec-p384', 'ed25519', 'rsa', 'rsa-pss'] as const;
test.each(
  KEY_TYPES.flatMap((keyType) =>
    (['TLSv1.2', 'TLSv1.3'] as const).map((version) => [keyType, version] as const),
  ),
)('HTTPS with a certificate of nobody knows whom, and a key %s, by %s', async (keyType, version) => {
  const { pem } = makeAuthority({ trustDomain: 'elsewhere' }).makeLeaf({
    commonName: 'x',
    keyType,
    spiffeId: 'spiffe://elsewhere/a',
  });
  const tls = { cert: pem.chain, key: pem.key, minVersion: version, maxVersion: version };
  const server = createHttpsServer(tls, (request, response) =>
    response.writeHead(request.url === '/live' ? 200 : 500).end('fine'),
  );
  const port = await listening(server);
  expect(await probeHttp(http(port, { scheme: 'HTTPS', path: '/live' }), context())).toBe(200);
  expect(await probeHttp(http(port, { scheme: 'HTTPS', path: '/dead' }), context())).toBe(500);
});

test('HTTPS where plaintext is spoken is no answer', async () => {
  const port = await serve((_, response) => response.end());
  const asked = probeHttp(http(port, { scheme: 'HTTPS' }), context());
  await expect(asked).rejects.toBeInstanceOf(TlsError);
});

test('tcp wants a connection only', async () => {
  const port = await listening(createTcpServer((socket) => socket.on('error', () => undefined).resume()));
  await probeTcp({ kind: 'tcp', port }, context());
});

test('an answer that does not come is not waited for when the kubelet has gone', async () => {
  const server = createTcpServer((socket) => socket.on('error', () => undefined).resume());
  const port = await listening(server);
  const gone = new AbortController();
  const asked = [
    probeHttp(http(port), context({ signal: gone.signal })),
    probeHttp(http(port, { scheme: 'HTTPS' }), context({ signal: gone.signal })),
    probeGrpc({ kind: 'grpc', port, service: '' }, context({ signal: gone.signal })),
  ];
  const ended = Promise.allSettled(asked);
  setTimeout(() => gone.abort(new TlsError(SIDECAR_REASONS['probe-timeout'])), 50);
  for (const one of await ended)
    expect(one).toEqual({ status: 'rejected', reason: refusal('probe-timeout') });
  // None of its sockets stays open.
  await new Promise((resolve) => server.close(resolve));
});

/** A health service as a gRPC server would be: SERVING for `up`, NOT_SERVING for `down`, unknown for all others. */
async function health(): Promise<number> {
  const server = createHttp2Server();
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    expect(headers).toMatchObject({ ':method': 'POST', ':path': '/grpc.health.v1.Health/Check' });
    const chunks: Buffer[] = [];
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const service = Buffer.concat(chunks).subarray(7).toString();
      const status = { '': 1, up: 1, down: 2 }[service];
      if (service === 'odd') return stream.close(2);
      const type = { 'content-type': 'application/grpc', ':status': 200 };
      if (status === undefined)
        return stream.respond(
          { ...type, 'grpc-status': '5', 'grpc-message': 'unknown service' },
          { endStream: true },
        );
      stream.respond(type, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.from([0, 0, 0, 0, 2, 8, status]));
    });
  });
  return listening(server);
}

test('gRPC: SERVING, and nothing but SERVING', async () => {
  const port = await health();
  const ask = (service: string): Promise<void> => probeGrpc({ kind: 'grpc', port, service }, context());
  await ask('');
  await ask('up');
  await expect(ask('down')).rejects.toMatchObject({
    code: 'probe-not-serving',
    detail: 'it says NOT_SERVING',
  });
  await expect(ask('other')).rejects.toMatchObject({
    code: 'probe-not-serving',
    detail: 'gRPC status 5 unknown service',
  });
  await expect(ask('odd')).rejects.toEqual(refusal('probe-answer-invalid'));
});

test('gRPC where HTTP/1.1 is spoken is no answer', async () => {
  const port = await serve((_, response) => response.end());
  await expect(probeGrpc({ kind: 'grpc', port, service: '' }, context())).rejects.toEqual(
    refusal('probe-answer-invalid'),
  );
});
