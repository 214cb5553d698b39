import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Scope } from '#runtime';
import { readiness } from '../admin/readiness.ts';
import type { CheckedConfig } from '../config.ts';
import { bind } from '../listen/bind.ts';
import type { Endpoint } from '../listen/endpoint.ts';

export interface StatusServer {
  readonly bound: Endpoint;
  /** Answers a captured connection; the answer itself is the proof that it was captured. */
  readonly verify: (socket: Socket) => void;
}

/**
 * Metrics and readiness in plaintext, for the kubelet and whoever collects metrics: they have no identity. Nothing in it
 * is secret and nothing can be changed by it. Until the scope ends. Throws BindError.
 */
export async function serveStatus(
  scope: Scope,
  listen: Endpoint,
  config: CheckedConfig,
  draining: () => boolean,
): Promise<StatusServer> {
  const { limits, service } = config;
  const answer = (request: IncomingMessage, response: ServerResponse): void =>
    scope.run(async () => {
      request.resume();
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
  server.maxConnections = limits.adminConnections;
  const bound = await bind(server, `status of ${service}`, listen);
  server.on('error', (error) => config.log.warn('the status port met an error', { error: error.message }));
  scope.defer(() => {
    server.close();
    server.closeAllConnections();
  });
  let verifying = 0;
  return {
    bound,
    verify(socket) {
      // These don't pass the listener, so its cap doesn't hold for them.
      if (verifying >= limits.adminConnections) {
        socket.resetAndDestroy();
        return;
      }
      verifying += 1;
      socket.once('close', () => {
        verifying -= 1;
      });
      server.emit('connection', socket);
      socket.resume();
    },
  };
}

async function reply(
  { method, url = '' }: IncomingMessage,
  config: CheckedConfig,
  draining: boolean,
): Promise<{ readonly status: number; readonly type: string; readonly body: string }> {
  if (method !== 'GET' && method !== 'HEAD') return json(405, { error: 'only GET is answered' });
  const path = url.split('?', 1)[0];
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

function json(status: number, value: unknown): { status: number; type: string; body: string } {
  return { status, type: 'application/json', body: `${JSON.stringify(value)}\n` };
}
