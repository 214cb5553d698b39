import { beforeEach, expect, test } from 'vitest';
import type { GroupName } from '#handshake';
import { makeAuthority } from '#identity/testing';
import { needs, startChild } from '../../support/child.ts';
import { startServer, trust } from '../../support/engine.ts';
import { CLIENT_ID, SERVER_ID } from './cells.ts';
import { pemFile } from './files.ts';

beforeEach((context) => needs(context, 'curl'));

const authority = makeAuthority();
const client = authority.makeLeaf({ spiffeId: CLIENT_ID });
const server = authority.makeLeaf({ spiffeId: SERVER_ID });
const CURVES = { x25519: 'X25519', secp256r1: 'P-256', secp384r1: 'P-384' } as const;
const BODY = 'over the wall\n';

test.for(Object.keys(CURVES) as (GroupName & keyof typeof CURVES)[])(
  'curl asks our server over %s',
  async (group) => {
    const { port, next } = await startServer(
      {
        credential: server.credential,
        clientAuthentication: { mode: 'request', required: true, verifier: trust(authority) },
        alpn: ['http/1.1'],
      },
      (stream) => {
        stream.once('data', () => {
          stream.end(`HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\nConnection: close\r\n\r\n${BODY}`);
        });
      },
    );
    // `-k`: it looks for host names, which identities of the mesh don't have.
    const child = startChild('curl', [
      ...['-sS', '-k', '--http1.1', '--tlsv1.3', '--curves', CURVES[group]],
      ...[
        '--cert',
        pemFile(client.pem.chain),
        '--key',
        pemFile(client.pem.key),
        `https://127.0.0.1:${port}/`,
      ],
    ]);
    const { witness, over } = await next();
    expect(await child.ended()).toEqual({ code: 0, signal: null });
    expect(child.output).toBe(BODY);
    expect(await over).toBeUndefined();
    expect(witness.negotiated).toMatchObject({ group, helloRetry: false });
    expect(witness.alpn).toBe('http/1.1');
    expect(witness.peer?.identity).toBe(CLIENT_ID);
  },
);
