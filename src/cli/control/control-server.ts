import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Scope } from '#runtime';
import type { HandshakeRecord } from '#telemetry';
import type { MeshSnapshot } from '../view/snapshot.ts';
import { isAlive } from './control-client.ts';

/** What the other commands may ask a running mesh. Nothing can be changed through it. */
export interface ControlSource {
  snapshot(): MeshSnapshot;
  /** The newest handshakes, oldest first. */
  handshakes(): readonly HandshakeRecord[];
  subscribe(listener: (record: HandshakeRecord) => void): () => void;
}

export class AlreadyRunning extends Error {}

/**
 * Serves JSON over HTTP on a Unix socket (0600): `/topology`, `/certs`, `/handshakes`, and `/handshakes/live` as one
 * JSON object a line. `source` is undefined while the mesh is starting. The socket is the lock of its state folder:
 * rejects with AlreadyRunning when another process answers on it, and replaces one that nobody answers on.
 */
export async function serveControl(
  scope: Scope,
  path: string,
  source: () => ControlSource | undefined,
): Promise<void> {
  const server = createServer((request, response) => {
    response.on('error', () => response.destroy());
    const current = source();
    if (request.method !== 'GET') return answer(response, 405, { error: 'only GET' });
    if (current === undefined) return answer(response, 503, { error: 'the mesh is starting' });
    const route = ROUTES[request.url ?? ''];
    if (route === undefined) return answer(response, 404, { error: 'unknown', known: Object.keys(ROUTES) });
    route(current, response);
  });
  server.keepAliveTimeout = 1;
  if (await isAlive(path)) throw new AlreadyRunning(path);
  rmSync(path, { force: true });
  await listen(server, path);
  chmodSync(path, 0o600);
  scope.defer(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
    rmSync(path, { force: true });
  });
}

type Route = (source: ControlSource, response: ServerResponse) => void;

const ROUTES: Readonly<Record<string, Route>> = {
  '/topology': (source, response) => answer(response, 200, { ...source.snapshot(), handshakes: [] }),
  '/certs': (source, response) => answer(response, 200, source.snapshot().services),
  '/handshakes': (source, response) => answer(response, 200, source.handshakes()),
  '/handshakes/live': follow,
};

/** A reader that is slower than the mesh loses records instead of making the mesh hold them. */
const MOST_UNREAD_BYTES = 1024 * 1024;

function follow(source: ControlSource, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.flushHeaders();
  const end = source.subscribe((record) => {
    if (response.writableLength < MOST_UNREAD_BYTES) response.write(`${JSON.stringify(record)}\n`);
  });
  response.once('close', end);
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
