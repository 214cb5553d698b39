import { createServer, type RequestListener, type Server } from 'node:http';
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
    if (request.method === 'POST') response.end('{"inbound":1}');
    else request.socket.destroy();
  });
  expect(await drain({ adminPort, forMilliseconds: 10_000 })).toBe(0);
  expect(said).toBe('No connection from the network is left.\n');
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
