import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Scope } from '#runtime';

export interface StatusServerConfig {
  readonly host: string;
  /** 0: one that is free. */
  readonly port: number;
  readonly metrics: () => Promise<string>;
  /** What is still missing before the controller can serve; empty when it is ready. */
  readonly missing: () => readonly string[];
}

/** /metrics for Prometheus and /ready for the kubelet, in plain HTTP: nothing here is secret. Resolves with the port. */
export async function startStatusServer(scope: Scope, config: StatusServerConfig): Promise<number> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => {
    const path = request.url?.split('?')[0];
    if (request.method !== 'GET' && request.method !== 'HEAD')
      answer(response, 405, 'only GET is answered here\n');
    else if (path === '/ready') ready(response, config.missing());
    else if (path === '/metrics') void metrics(response, config.metrics);
    else answer(response, 404, 'there are /metrics and /ready\n');
  });
  server.maxConnections = 64;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: config.host, port: config.port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  scope.defer(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}

function ready(response: ServerResponse, missing: readonly string[]): void {
  if (missing.length === 0) answer(response, 200, 'ready\n');
  else answer(response, 503, `waiting for: ${missing.join(', ')}\n`);
}

async function metrics(response: ServerResponse, text: () => Promise<string>): Promise<void> {
  try {
    answer(response, 200, await text());
  } catch (error) {
    answer(response, 500, `${String(error)}\n`);
  }
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text);
}
