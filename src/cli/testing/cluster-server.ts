import { createServer, type IncomingMessage, type Server } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type WebSocket, WebSocketServer } from 'ws';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/**
 * An API server that knows what a test tells it, for the CLI to talk to by a kubeconfig: objects by path, collections by
 * their objects, and pods' ports by what they answer to a GET. It keeps what was sent to it.
 */
export class ClusterServer {
  /** By path, without a query: `/api/v1/namespaces/shop/services/web`. */
  readonly objects = new Map<string, object>();
  /** By `NAMESPACE/POD:PORT/path`. */
  readonly pods = new Map<string, string>();
  /** Answers for a path before all else. */
  readonly refusals = new Map<string, Answer>();
  readonly changes: string[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'sallyport-cluster-'));
  readonly #sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has('v4.channel.k8s.io') ? 'v4.channel.k8s.io' : false),
  });
  #server: Server | undefined;

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      request.on('end', () => {
        const { status, body } = this.#answer(request, text);
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      });
    });
    server.on('upgrade', (request, socket, head) => {
      const refused = this.refusals.get('portforward');
      if (refused !== undefined)
        return socket.end(`HTTP/1.1 ${refused.status} Refused\r\nConnection: close\r\n\r\n`);
      return this.#sockets.handleUpgrade(request, socket, head, (stream) => this.#forward(request, stream));
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    this.#server = server;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server?.close(resolve));
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server?.closeAllConnections();
    await closed;
    this.#server = undefined;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get port(): number {
    if (this.#server === undefined) throw new Error('it does not listen');
    return (this.#server.address() as AddressInfo).port;
  }

  /** The path of a kubeconfig with the context `test`. */
  kubeconfig(server = `http://127.0.0.1:${this.port}`): string {
    const file = join(this.#folder, 'kubeconfig');
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster: { server, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'test', user: { token: 'secret' } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      'current-context': 'test',
    };
    writeFileSync(file, JSON.stringify(config));
    return file;
  }

  #answer({ method = '', url = '' }: IncomingMessage, text: string): Answer {
    const { pathname, searchParams } = new URL(url, 'http://localhost');
    const refused = this.refusals.get(pathname) ?? this.refusals.get('*');
    if (refused !== undefined) return refused;
    if (pathname.endsWith('/selfsubjectaccessreviews'))
      return { status: 201, body: { status: { allowed: true } } };
    if (method !== 'GET') this.changes.push(`${method} ${pathname}`);
    if (method === 'PATCH') {
      this.objects.set(pathname, JSON.parse(text) as object);
      return { status: 201, body: {} };
    }
    const found = this.objects.get(pathname);
    if (method === 'DELETE') {
      this.objects.delete(pathname);
      return found === undefined ? NOT_FOUND : { status: 200, body: {} };
    }
    if (found !== undefined) return { status: 200, body: found };
    const items = [...this.objects].filter(([path]) => isIn(pathname, path)).map(([, object]) => object);
    if (items.length === 0 && !COLLECTIONS.test(pathname)) return NOT_FOUND;
    const selected = items.filter((item) => matches(item, searchParams.get('labelSelector') ?? ''));
    return { status: 200, body: { items: selected, metadata: {} } };
  }

  /** Kubernetes' way to carry a stream (v4.channel.k8s.io): data on channel 0, errors on 1, the port first on each. */
  #forward({ url = '' }: IncomingMessage, socket: WebSocket): void {
    const { pathname, searchParams } = new URL(url, 'http://localhost');
    const [, namespace = '', pod = ''] = /namespaces\/([^/]+)\/pods\/([^/]+)\//.exec(pathname) ?? [];
    const port = Number(searchParams.get('ports'));
    const portBytes = Buffer.from([port & 0xff, port >> 8]);
    for (const channel of [0, 1]) socket.send(Buffer.concat([Buffer.from([channel]), portBytes]));
    socket.on('message', (data: Buffer) => {
      const [, path = ''] = /^GET (\S+) /.exec(data.subarray(1).toString('latin1')) ?? [];
      const answer = this.pods.get(`${namespace}/${pod}:${port}${path}`);
      if (answer === undefined) {
        socket.send(Buffer.concat([Buffer.from([1]), Buffer.from('connection refused')]));
        socket.close();
        return;
      }
      const head = `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(answer)}\r\n\r\n`;
      socket.send(Buffer.concat([Buffer.from([0]), Buffer.from(head + answer)]));
    });
  }
}

const NOT_FOUND: Answer = { status: 404, body: { message: 'not found' } };
const COLLECTIONS = /\/(pods|deployments|namespaces|configmaps|mutatingwebhookconfigurations)$/;

/** Whether a collection, of one namespace or of all, holds the object. */
function isIn(collection: string, path: string): boolean {
  const [, base = '', kind = ''] = /^(.*)\/([a-z]+)$/.exec(collection) ?? [];
  return path.startsWith(`${base}/`) && new RegExp(`/${kind}/[^/]+$`).test(path);
}

function matches(item: object, selector: string): boolean {
  const { labels } = (item as { metadata?: { labels?: Record<string, string> } }).metadata ?? {};
  const pairs = selector.split(',').filter(Boolean);
  return pairs.every((pair) => {
    const [key = '', value] = pair.split('=');
    return labels?.[key] === value;
  });
}
