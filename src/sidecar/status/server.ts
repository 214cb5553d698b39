import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Scope } from '#runtime';
import { readiness } from '../admin/readiness.ts';
import type { CheckedConfig } from '../config.ts';
import { bind } from '../listen/bind.ts';
import type { Endpoint } from '../listen/endpoint.ts';
import type { Probes } from '../probes/probes.ts';
import { Guests } from './guests.ts';

export interface StatusServer {
  readonly bound: Endpoint;
  /** Answers a captured connection; the answer itself is the proof that it was captured. */
  readonly verify: (socket: Socket) => void;
}

export interface StatusParts {
  readonly config: CheckedConfig;
  readonly draining: () => boolean;
  readonly probes: Probes;
}

/**
 * Metrics, readiness and the application's probes in plaintext, for the kubelet and whoever collects metrics: they have no
 * identity. Nothing in it is secret and nothing can be changed by it; who has a probe done must know its path. Until the
 * scope ends. Throws BindError.
 */
export async function serveStatus(scope: Scope, listen: Endpoint, parts: StatusParts): Promise<StatusServer> {
  const { config, draining, probes } = parts;
  const { limits, service } = config;
  const guests = new Guests(limits.statusConnections);
  const answer = (request: IncomingMessage, response: ServerResponse): void =>
    scope.run(async () => {
      request.resume();
      const probe = request.method === 'GET' ? probes.at(pathOf(request)) : undefined;
      if (probe !== undefined) {
        guests.keep(request.socket);
        // The probe's own time holds now.
        request.socket.setTimeout(0);
        return probes.answer(probe, request, response);
      }
      const { status, type, body } = await reply(request, config, draining());
      response.writeHead(status, {
        'content-type': type,
        'content-length': Buffer.byteLength(body),
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
      response.end(body);
    });
  const server = createServer(
    {
      maxHeaderSize: limits.adminHeaderBytes,
      headersTimeout: limits.adminRequestMilliseconds,
      requestTimeout: limits.adminRequestMilliseconds,
      keepAliveTimeout: limits.adminRequestMilliseconds,
      connectionsCheckingInterval: limits.adminRequestMilliseconds,
    },
    answer,
  );
  // Many requests in one packet would all be answered before one answer is read.
  server.maxRequestsPerSocket = 1;
  // Nobody is waited for longer, to send or to read: what holds a connection open must not cost anything.
  server.setTimeout(limits.adminRequestMilliseconds);
  server.on('connection', (socket) => guests.welcome(socket));
  const bound = await bind(server, `status of ${service}`, listen);
  server.on('error', (error) => config.log.warn('the status port met an error', { error: error.message }));
  scope.defer(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    bound,
    verify(socket) {
      server.emit('connection', socket);
      socket.resume();
    },
  };
}

async function reply(
  request: IncomingMessage,
  config: CheckedConfig,
  draining: boolean,
): Promise<{ readonly status: number; readonly type: string; readonly body: string }> {
  const { method } = request;
  if (method !== 'GET' && method !== 'HEAD') return json(405, { error: 'only GET is answered' });
  const path = pathOf(request);
  if (path === '/ready') {
    const answer = readiness(config, draining);
    return json(answer.ready ? 200 : 503, answer);
  }
  if (path === '/metrics') {
    const body = await config.telemetry.metricsText(config.service);
    return { status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', body };
  }
  return json(404, { error: 'there are /ready and /metrics' });
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '';
}

function json(status: number, value: unknown): { status: number; type: string; body: string } {
  return { status, type: 'application/json', body: `${JSON.stringify(value)}\n` };
}
