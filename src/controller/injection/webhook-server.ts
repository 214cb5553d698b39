import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  createServer as createListener,
  type AddressInfo,
  type Server as Listener,
  type Socket,
} from 'node:net';
import type { Duplex } from 'node:stream';
import { ignoreEvents, type ServerConfig, TlsError } from '#handshake';
import { acceptTls } from '#handshake/stream';
import { type Clock, type Log, printable, type Scope } from '#runtime';
import { WEBHOOK_LIMITS } from './limits.ts';
import { admitted, parseReview, refused, type ReviewRequest, review, wordsOf } from './review.ts';
import type { InjectionSettings } from './settings.ts';

export interface WebhookServerConfig {
  readonly host: string;
  /** 0: one that is free. */
  readonly port: number;
  readonly settings: InjectionSettings;
  /** Read for each connection; undefined while there is no certificate to show. */
  readonly tls: () => Omit<ServerConfig, 'alpn'> | undefined;
  /** Sees to it that the pods of a namespace find whom to believe. The answer is what keeps it from that. */
  readonly ensureTrust: (namespace: string, signal: AbortSignal) => Promise<string | undefined>;
  /** Of each pod, but those of dry runs: for metrics. */
  readonly onReview?: (outcome: ReviewOutcome) => void;
  /** For the path of a probe; each time another that nobody can guess. */
  readonly token: () => string;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ReviewOutcome {
  readonly result: 'injected' | 'left' | 'refused';
  /** Codes; empty unless it was refused. */
  readonly reasons: readonly string[];
}

/** The webhook: HTTP over our own TLS engine (docs/adr/0011). Resolves with its port when it listens. */
export async function startWebhookServer(scope: Scope, config: WebhookServerConfig): Promise<number> {
  const server = new WebhookServer(config, scope.signal);
  await server.listen();
  scope.defer(() => server.close());
  return server.port;
}

const PATH = '/inject';

class WebhookServer {
  readonly #config: WebhookServerConfig;
  readonly #signal: AbortSignal;
  readonly #http: Server;
  readonly #listener: Listener;
  readonly #sockets = new Set<Socket>();
  readonly #perAddress = new Map<string, number>();
  readonly #deadlines = new WeakMap<Duplex, () => void>();
  /** Of bodies that are being read. */
  #bytes = 0;

  constructor(config: WebhookServerConfig, signal: AbortSignal) {
    this.#config = config;
    this.#signal = signal;
    // It never listens itself, and then Node watches no times either: #mustGoOn does.
    this.#http = createServer((request, response) => void this.#answer(request, response));
    this.#http.on('clientError', (_error, stream) => stream.destroy());
    this.#listener = createListener({ noDelay: true, allowHalfOpen: true }, (socket) => this.#accept(socket));
    this.#listener.maxConnections = WEBHOOK_LIMITS.connections;
  }

  async listen(): Promise<void> {
    const { host, port, log } = this.#config;
    await new Promise<void>((resolve, reject) => {
      this.#listener.once('error', reject);
      this.#listener.listen({ host, port }, () => {
        this.#listener.off('error', reject);
        resolve();
      });
    });
    this.#listener.on('error', (error) => log.error('the webhook cannot accept', { error: error.message }));
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    this.#http.close();
    await closed;
  }

  #accept(socket: Socket): void {
    const { clock, log, tls } = this.#config;
    socket.on('error', () => undefined);
    const settings = tls();
    const address = socket.remoteAddress ?? '';
    const others = this.#perAddress.get(address) ?? 0;
    if (settings === undefined || others >= WEBHOOK_LIMITS.connectionsPerAddress) {
      socket.resetAndDestroy();
      return;
    }
    this.#sockets.add(socket);
    this.#perAddress.set(address, others + 1);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#perAddress.set(address, left);
      else this.#perAddress.delete(address);
    });
    const stream = acceptTls(
      socket,
      { ...settings, alpn: ['http/1.1'], alpnRequired: false },
      { clock, handshakeTimeoutMilliseconds: WEBHOOK_LIMITS.handshakeMilliseconds, observer: ignoreEvents },
    );
    stream.on('error', () => undefined);
    stream.handshake().then(
      () => {
        this.#mustGoOn(stream, WEBHOOK_LIMITS.requestMilliseconds);
        this.#http.emit('connection', stream);
      },
      (error: unknown) => {
        stream.destroy();
        const reason = error instanceof TlsError ? error.code : String(error);
        log.debug('a connection to the webhook was refused', {
          remoteAddress: address,
          reason,
        });
      },
    );
  }

  /** Ends a connection on which nothing came to its end in time; replaces the deadline that it had. */
  #mustGoOn(stream: Duplex, milliseconds: number): void {
    this.#deadlines.get(stream)?.();
    const cancel = this.#config.clock.after(milliseconds, () => stream.destroy());
    if (!this.#deadlines.has(stream)) stream.once('close', () => this.#deadlines.get(stream)?.());
    this.#deadlines.set(stream, cancel);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const connection = request.socket as Duplex;
    this.#mustGoOn(connection, WEBHOOK_LIMITS.requestMilliseconds);
    response.once('finish', () => this.#mustGoOn(connection, WEBHOOK_LIMITS.idleMilliseconds));
    try {
      if (request.url?.split('?')[0] !== PATH) return say(response, 404, `there is ${PATH}`);
      if (request.method !== 'POST') return say(response, 405, 'a review is sent by POST');
      const text = await this.#body(request);
      if (text === undefined)
        return say(
          response,
          413,
          `at most ${WEBHOOK_LIMITS.bodyBytes} bytes are read, and not too many at once`,
        );
      const parsed = parseReview(text);
      if (!parsed.ok) return say(response, 400, parsed.error);
      const body = await this.#review(parsed.value);
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    } catch (error) {
      // A caller that went away in the middle is no fault of ours.
      if (request.complete) this.#config.log.error('a review failed', { error: String(error) });
      // To the API server no answer is a refusal, as the webhook's failurePolicy is Fail.
      if (response.headersSent) response.destroy();
      else say(response, 500, 'the review failed: see the log of the controller');
    }
  }

  /** Undefined: it is longer than what is read. */
  async #body(request: IncomingMessage): Promise<string | undefined> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        this.#bytes += chunk.length;
        if (bytes > WEBHOOK_LIMITS.bodyBytes || this.#bytes > WEBHOOK_LIMITS.bodiesBytes) return undefined;
        chunks.push(chunk);
      }
      return Buffer.concat(chunks).toString('utf8');
    } finally {
      this.#bytes -= bytes;
    }
  }

  async #review(asked: ReviewRequest): Promise<object> {
    const { log, settings, token, ensureTrust, onReview } = this.#config;
    const { uid, namespace, dryRun } = asked;
    const count = (result: ReviewOutcome['result'], reasons: readonly string[] = []): void => {
      if (!dryRun) onReview?.({ result, reasons });
    };
    const pod = `${namespace}/${nameOf(asked)}`;
    const result = review(asked, settings, token);
    if (!result.ok) {
      const reasons = [...new Set(result.error.map(({ reason }) => reason.code))];
      log.warn('a pod was refused', { pod, reasons });
      count('refused', reasons);
      return refused(uid, wordsOf(result.error));
    }
    const problem = dryRun ? undefined : await ensureTrust(namespace, this.#signal);
    if (problem !== undefined) {
      log.warn('a pod was refused', { pod, reasons: ['trust-bundle-missing'], problem });
      count('refused', ['trust-bundle-missing']);
      const say = `The trust bundle, without which its sidecar can believe nobody, can't be brought to namespace ${namespace}`;
      return refused(uid, `${say}: ${problem}. Look at the controller's log; pods are tried again.`, 503);
    }
    if (result.value.length === 0) count('left');
    else count('injected');
    if (!dryRun) log.info('a pod was injected', { pod });
    return admitted(uid, result.value);
  }
}

function nameOf({ name, pod }: ReviewRequest): string {
  const { generateName } = (pod as { metadata?: { generateName?: string } } | null)?.metadata ?? {};
  return printable(name === '' ? `${generateName ?? ''}*` : name);
}

function say(response: ServerResponse, status: number, text: string): void {
  response
    .writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' })
    .end(`${text}\n`);
}
