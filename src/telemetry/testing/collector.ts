import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** An OTLP/HTTP collector that keeps what it gets. */
export interface Collector {
  readonly port: number;
  readonly endpoint: string;
  readonly received: readonly Received[];
  /** HTTP status of its answers. */
  status: number;
  /** Resolves with the first request to `path`, come or to come. */
  at(path: string): Promise<Received>;
  close(): Promise<void>;
}

export async function startCollector(port = 0): Promise<Collector> {
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { method, url, headers } = request;
      received.push({ method, path: url, headers, body: Buffer.concat(parts) });
      response.writeHead(collector.status, { 'content-type': 'application/x-protobuf' }).end();
      for (const check of [...waiting]) check();
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const { port: bound } = server.address() as AddressInfo;
  const collector: Collector = {
    port: bound,
    endpoint: `http://127.0.0.1:${bound}`,
    received,
    status: 200,
    at: (path) =>
      new Promise((resolve) => {
        const check = (): void => {
          const found = received.find((one) => one.path === path);
          if (found === undefined) return;
          waiting.delete(check);
          resolve(found);
        };
        waiting.add(check);
        check();
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return collector;
}
