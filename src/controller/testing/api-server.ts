import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '#runtime';
import type { FakeKubernetes } from './fake-kubernetes.ts';

/** An object as tests write it: what is missing of its metadata is filled in. */
export interface TestObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

interface StoredEvent {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: TestObject;
}

interface Watcher {
  readonly response: ServerResponse;
  readonly path: string;
  readonly bookmarks: boolean;
  /** Ends it, with a bookmark first. */
  readonly end: () => void;
}

interface Collection {
  readonly objects: Map<string, TestObject>;
  events: StoredEvent[];
  /** Changes before this one are forgotten: a watch from there is answered 410. */
  compactedAt: number;
}

/**
 * The list and watch of an API server over HTTP, for the real client to talk to: resourceVersions that all kinds share,
 * pages of one snapshot, bookmarks each minute and before the end, 410 after compaction.
 */
export class TestApiServer {
  readonly #clock: Clock;
  readonly #collections = new Map<string, Collection>();
  readonly #watchers = new Set<Watcher>();
  readonly #sockets = new Set<Socket>();
  readonly #snapshots = new Map<string, { readonly version: number; readonly rest: readonly TestObject[] }>();
  readonly #requests = new Map<string, number>();
  readonly #objects: FakeKubernetes | undefined;
  #server: Server | undefined;
  #port = 0;
  #version = 1_000;
  #snapshotNumber = 0;
  /** Set: every request is answered with this HTTP status. */
  refuseWith: number | undefined;
  /** False: no bookmark comes, as from a server that has too much to do. */
  sendsBookmarks = true;

  /** `objects` answers for all paths that are not followed by watches. */
  constructor(clock: Clock, objects?: FakeKubernetes) {
    this.#clock = clock;
    this.#objects = objects;
  }

  /** Again at the same port after `stop`. */
  async start(): Promise<void> {
    const server = createServer((request, response) => this.#answer(request, response));
    server.keepAliveTimeout = 1_000;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => {
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    this.drop();
    await closed;
  }

  /** Resets every connection. */
  drop(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get kubeConfig(): KubeConfig {
    return kubeConfigFor(this.url);
  }

  get version(): number {
    return this.#version;
  }

  get watching(): number {
    return this.#watchers.size;
  }

  /** How often a path was asked for, by `list` or `watch`. */
  requests(what: 'list' | 'watch', path: string): number {
    return this.#requests.get(`${what} ${path}`) ?? 0;
  }

  put(path: string, object: TestObject): void {
    const collection = this.#collection(path);
    const key = keyOf(object);
    const type = collection.objects.has(key) ? 'MODIFIED' : 'ADDED';
    this.#version += 1;
    const metadata = { uid: `uid-${key}`, ...object.metadata, resourceVersion: String(this.#version) };
    const stored = { ...object, metadata };
    collection.objects.set(key, stored);
    this.#record(path, { version: this.#version, type, object: stored });
  }

  delete(path: string, key: string): void {
    const { objects } = this.#collection(path);
    const object = objects.get(key);
    if (object === undefined) return;
    objects.delete(key);
    this.#version += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.#version) };
    this.#record(path, { version: this.#version, type: 'DELETED', object: { ...object, metadata } });
  }

  /** Forgets the changes so far, and the rest of lists that were begun. */
  compact(): void {
    this.#snapshots.clear();
    for (const collection of this.#collections.values()) {
      collection.events = [];
      collection.compactedAt = this.#version;
    }
  }

  /** To every watch of a path, as it is. */
  sendRaw(path: string, text: string): void {
    for (const watcher of this.#watchers) if (watcher.path === path) watcher.response.write(text);
  }

  /** Ends every watch in order, as at its timeout. */
  endWatches(): void {
    for (const watcher of this.#watchers) watcher.end();
  }

  #collection(path: string): Collection {
    let collection = this.#collections.get(path);
    if (collection === undefined) {
      collection = { objects: new Map(), events: [], compactedAt: 0 };
      this.#collections.set(path, collection);
    }
    return collection;
  }

  #record(path: string, event: StoredEvent): void {
    this.#collection(path).events.push(event);
    const line = lineOf(event);
    for (const watcher of this.#watchers) if (watcher.path === path) watcher.response.write(line);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const query = url.searchParams;
    const what = query.get('watch') === 'true' ? 'watch' : 'list';
    const counted = `${what} ${url.pathname}`;
    this.#requests.set(counted, (this.#requests.get(counted) ?? 0) + 1);
    if (this.refuseWith !== undefined) refuse(response, this.refuseWith, 'as the test asked');
    else if (this.#objects !== undefined && !FOLLOWED.has(url.pathname))
      void answerObject(this.#objects, request, response);
    else if (what === 'watch') this.#watch(url.pathname, query, response);
    else this.#list(url.pathname, query, response);
  }

  #list(path: string, query: URLSearchParams, response: ServerResponse): void {
    const token = query.get('continue');
    const begun = token === null ? undefined : this.#snapshots.get(token);
    if (token !== null && begun === undefined) {
      refuse(response, 410, 'The provided continue parameter is too old');
      return;
    }
    const { version, rest } = begun ?? {
      version: this.#version,
      rest: [...this.#collection(path).objects.values()],
    };
    const limit = Number(query.get('limit') ?? rest.length);
    const items = rest.slice(0, limit);
    const left = rest.slice(limit);
    let next = '';
    if (left.length > 0) {
      this.#snapshotNumber += 1;
      next = `snapshot-${this.#snapshotNumber}`;
      this.#snapshots.set(next, { version, rest: left });
    }
    const metadata = { resourceVersion: String(version), continue: next };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ kind: 'List', metadata, items }));
  }

  #watch(path: string, query: URLSearchParams, response: ServerResponse): void {
    const from = Number(query.get('resourceVersion'));
    const collection = this.#collection(path);
    response.setHeader('content-type', 'application/json');
    if (from < collection.compactedAt) {
      // As an API server does that finds out only when the watch is under way.
      const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
      response.end(`${JSON.stringify({ type: 'ERROR', object: status })}\n`);
      return;
    }
    response.flushHeaders();
    const bookmarks = query.get('allowWatchBookmarks') === 'true';
    const cancels: (() => void)[] = [];
    const bookmark = (): void => {
      if (bookmarks && this.sendsBookmarks) response.write(bookmarkLine(this.#version));
    };
    const end = (): void => {
      this.#watchers.delete(watcher);
      response.end();
    };
    const watcher: Watcher = {
      response,
      path,
      bookmarks,
      end: () => {
        bookmark();
        end();
      },
    };
    const everyMinute = (): void => {
      cancels.push(
        this.#clock.after(60_000, () => {
          bookmark();
          everyMinute();
        }),
      );
    };
    everyMinute();
    const timeout = Number(query.get('timeoutSeconds') ?? 1_800) * 1_000;
    cancels.push(this.#clock.after(timeout - 2_000, bookmark));
    cancels.push(this.#clock.after(timeout, end));
    this.#watchers.add(watcher);
    response.once('close', () => {
      this.#watchers.delete(watcher);
      for (const cancel of cancels) cancel();
    });
    for (const event of collection.events) if (event.version > from) response.write(lineOf(event));
  }
}

/** What controllers list and watch. */
const FOLLOWED: ReadonlySet<string> = new Set([
  '/api/v1/pods',
  '/api/v1/services',
  '/api/v1/nodes',
  '/apis/discovery.k8s.io/v1/endpointslices',
  '/apis/mesh.sallyport.dev/v1alpha1/meshpolicies',
  '/apis/mesh.sallyport.dev/v1alpha1/meshtlses',
]);

async function answerObject(
  objects: FakeKubernetes,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const method = request.method as Parameters<FakeKubernetes['send']>[0];
  try {
    const body = text === '' ? undefined : (JSON.parse(text) as object);
    const answer = await objects.send(method, request.url ?? '/', body);
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer.body));
  } catch {
    // It is away.
    response.destroy();
  }
}

/** For a TestApiServer of another process. */
export function kubeConfigFor(server: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'test', server, skipTLSVerify: true }],
    users: [{ name: 'test' }],
    contexts: [{ name: 'test', cluster: 'test', user: 'test' }],
    currentContext: 'test',
  });
  return config;
}

function keyOf({ metadata: { name, namespace } }: TestObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function lineOf({ type, object }: StoredEvent): string {
  return `${JSON.stringify({ type, object })}\n`;
}

function bookmarkLine(version: number): string {
  const object = {
    kind: 'Bookmark',
    metadata: { resourceVersion: String(version), creationTimestamp: null },
  };
  return `${JSON.stringify({ type: 'BOOKMARK', object })}\n`;
}

function refuse(response: ServerResponse, code: number, message: string): void {
  response.statusCode = code;
  response.end(JSON.stringify({ kind: 'Status', status: 'Failure', code, message }));
}
