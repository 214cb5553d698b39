import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { drain } from './drain.ts';

let server: Server;
let said: string;
beforeEach(() => {
  said = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  server.close();
  server.closeAllConnections();
});

async function admin(listener: RequestListener): Promise<number> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

test('starts the drain and waits until nobody is left', async () => {
  const asked: (string | undefined)[] = [];
  const adminPort = await admin(({ method, url, headers }, response) => {
    asked.push(`${method} ${url} ${headers.host?.split(':')[0]}`);
    response.end(JSON.stringify({ draining: true, inbound: 4 - asked.length }));
  });
  expect(await drain({ adminPort, forMilliseconds: 10_000 })).toBe(0);
  expect(asked).toEqual(['POST /drain 127.0.0.1', ...Array<string>(3).fill('GET /drain 127.0.0.1')]);
  expect(said).toBe('No connection from the network is left.\n');
});

test('does not wait longer than it may', async () => {
  const adminPort = await admin((_, response) => response.end('{"inbound":1}'));
  expect(await drain({ adminPort, forMilliseconds: 150 })).toBe(0);
  expect(said).toBe('1 connection from the network is left after 150 ms.\n');
});

test('a sidecar that ended meanwhile has nobody left', async () => {
  const adminPort = await admin((request, response) => {
    if (request.method === 'POST') {
      response.end('{"inbound":1}');
      return;
    }
    server.close();
    request.socket.destroy();
  });
  expect(await drain({ adminPort, forMilliseconds: 60_000 })).toBe(0);
  expect(said).toBe('No connection from the network is left.\n');
});

test.each([
  ['breaks off', (_: IncomingMessage, response: ServerResponse) => response.socket?.destroy()],
  ['has an error', (_: IncomingMessage, response: ServerResponse) => response.writeHead(500).end('no')],
  ['says what nobody understands', (_: IncomingMessage, response: ServerResponse) => response.end('{}')],
  [
    'says a number that is none',
    (_: IncomingMessage, response: ServerResponse) => response.end('{"inbound":-1}'),
  ],
])('a sidecar that once %s instead of answering is asked again', async (_, once) => {
  let asked = 0;
  const adminPort = await admin((request, response) => {
    asked += 1;
    if (asked === 2) once(request, response);
    else response.end(asked < 5 ? '{"inbound":2}' : '{"inbound":0}');
  });
  expect(await drain({ adminPort, forMilliseconds: 60_000 })).toBe(0);
  expect(asked).toBe(5);
  expect(said).toBe('No connection from the network is left.\n');
});

test('a sidecar that never answers again is not waited for longer than it may', async () => {
  const adminPort = await admin((request, response) => {
    if (request.method === 'POST') response.end('{"inbound":2}');
  });
  expect(await drain({ adminPort, forMilliseconds: 200 })).toBe(0);
  expect(said).toBe('2 connections from the network are left after 200 ms.\n');
});

test('a sidecar that is too busy to hear of it at first is told again', async () => {
  let told = 0;
  const adminPort = await admin((_, response) => {
    told += 1;
    if (told > 1) response.end('{"inbound":0}');
  });
  expect(await drain({ adminPort, forMilliseconds: 60_000 })).toBe(0);
  expect(told).toBe(2);
});

test('says where it looked if there is no sidecar, or something else', async () => {
  const adminPort = await admin((_, response) => response.end('{}'));
  await expect(drain({ adminPort, forMilliseconds: 1_000 })).rejects.toThrow(/is no sidecar of this version/);
  server.close();
  const other = await admin((_, response) => response.writeHead(404).end('<html>'));
  await expect(drain({ adminPort: other, forMilliseconds: 1_000 })).rejects.toThrow(
    /status 404.*--admin-port/,
  );
  server.close();
  const gone = await admin((_, response) => response.end('<html>'));
  await expect(drain({ adminPort: gone, forMilliseconds: 1_000 })).rejects.toThrow(/does not answer/);
  server.close();
  server.closeAllConnections();
  await expect(drain({ adminPort: gone, forMilliseconds: 1_000 })).rejects.toThrow(/ECONNREFUSED/);
});
