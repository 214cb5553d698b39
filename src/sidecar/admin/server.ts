import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Scope } from '#runtime';
import type { CheckedConfig } from '../config.ts';
import type { Direction } from '../connection.ts';
import type { Connections } from '../connections.ts';
import type { PlaintextPeers } from '../inbound/plaintext-peers.ts';
import type { Admission } from '../listen/admission.ts';
import { bind } from '../listen/bind.ts';
import type { Endpoint } from '../listen/endpoint.ts';
import type { Listener } from '../listen/listener.ts';
import type { Balancer } from '../outbound/balancer.ts';
import { refusalOf } from './guard.ts';
import { type Answer, answer, problem } from './routes.ts';

export interface AdminParts {
  readonly balancer: Balancer;
  readonly config: CheckedConfig;
  readonly connections: Connections;
  readonly handshakes: Readonly<Record<Direction, Admission>>;
  readonly plaintextPeers: PlaintextPeers;
  readonly listeners: readonly Listener[];
  readonly draining: () => boolean;
  /** Starts the drain. */
  readonly drain: () => void;
}

/** Serves metrics, readiness, the dump and the drain over HTTP on loopback until the scope ends. Throws BindError. */
export async function serveAdmin(scope: Scope, parts: AdminParts): Promise<Endpoint> {
  const { admin, limits, service } = parts.config;
  const server = createServer(
    {
      maxHeaderSize: limits.adminHeaderBytes,
      headersTimeout: limits.adminRequestMilliseconds,
      requestTimeout: limits.adminRequestMilliseconds,
      keepAliveTimeout: limits.adminRequestMilliseconds,
      connectionsCheckingInterval: limits.adminRequestMilliseconds,
    },
    (request, response) => scope.run(() => serve(request, response, parts)),
  );
  server.maxConnections = limits.adminConnections;
  // Many requests in one packet would all be answered before one answer is read.
  server.maxRequestsPerSocket = 1;
  const bound = await bind(server, `admin of ${service}`, admin);
  server.on('error', (error) =>
    parts.config.log.warn('the admin port met an error', { error: error.message }),
  );
  scope.defer(() => {
    server.close();
    server.closeAllConnections();
  });
  return bound;
}

async function serve(request: IncomingMessage, response: ServerResponse, parts: AdminParts): Promise<void> {
  // No route reads a body; what is sent is thrown away, within the request's time.
  request.resume();
  send(response, await reply(request, parts));
}

async function reply({ headers, method, url }: IncomingMessage, parts: AdminParts): Promise<Answer> {
  const refusal = refusalOf(headers);
  if (refusal !== undefined) return problem(403, refusal);
  try {
    return await answer(method ?? '', url ?? '', parts);
  } catch (error) {
    parts.config.log.error('an admin request failed', { url, error: String(error) });
    return problem(500, 'the request could not be answered; the log says why');
  }
}

function send(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}
