import { type ApiAnswer, ApiUnavailable, type KubernetesApi } from '../kubernetes/api.ts';

type Method = Parameters<KubernetesApi['send']>[0];

interface Stored {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** What TokenReview answers for a token; undefined: not authenticated. */
export type Review = Readonly<Record<string, unknown>>;

/**
 * The API server's rules for single objects, in memory: creation refuses what is there, replacement compares the
 * resourceVersion when one is given, every write gives a new one. TokenReview answers from `reviews`.
 */
export class FakeKubernetes implements KubernetesApi {
  /** By path: `/api/v1/namespaces/shop/secrets/ca`. */
  readonly objects = new Map<string, Stored>();
  readonly reviews = new Map<string, Review>();
  readonly sent: string[] = [];
  down = false;
  #version = 100;

  send(method: Method, path: string, body?: object): Promise<ApiAnswer> {
    if (this.down) return Promise.reject(new ApiUnavailable(path, 'refused'));
    this.sent.push(`${method} ${path}`);
    const { pathname, searchParams } = new URL(path, 'http://localhost');
    if (method === 'PATCH')
      return Promise.resolve({ status: 415, body: { message: 'this fake applies nothing' } });
    if (method === 'DELETE') {
      return Promise.resolve(this.#deleteSome(pathname, searchParams.get('labelSelector') ?? ''));
    }
    return Promise.resolve(this.#answer(method, pathname, body as Stored | undefined));
  }

  put(path: string, object: object): void {
    this.#store(path, object as Stored);
  }

  #answer(method: Exclude<Method, 'DELETE' | 'PATCH'>, path: string, body: Stored | undefined): ApiAnswer {
    if (path.endsWith('/tokenreviews')) return this.#review(body);
    if (method === 'GET') {
      const found = this.objects.get(path);
      if (found !== undefined) return { status: 200, body: found };
      const items = [...this.objects].filter(([key]) => isIn(path, key)).map(([, object]) => object);
      return /\/(namespaces|configmaps)$/.test(path)
        ? { status: 200, body: { items, metadata: {} } }
        : NOT_FOUND;
    }
    if (body === undefined) return { status: 400, body: { message: 'no body' } };
    const key = method === 'POST' ? `${path}/${body.metadata.name}` : path;
    const before = this.objects.get(key);
    if (method === 'POST') return before === undefined ? this.#store(key, body) : CONFLICT;
    if (before === undefined) return NOT_FOUND;
    const expected = (body.metadata as { resourceVersion?: string }).resourceVersion;
    if (expected !== undefined && expected !== before.metadata.resourceVersion) return CONFLICT;
    return { ...this.#store(key, body), status: 200 };
  }

  #store(key: string, object: Stored): ApiAnswer {
    this.#version += 1;
    const body = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.objects.set(key, body);
    return { status: 201, body };
  }

  /** Of a collection, those with a label whose number is smaller: `name<100`. */
  #deleteSome(path: string, selector: string): ApiAnswer {
    const [, label = '', below = ''] = /^([^<]+)<(\d+)$/.exec(selector) ?? [];
    if (label === '') return { status: 400, body: { message: `this fake does not know ${selector}` } };
    for (const [key, { metadata }] of this.objects) {
      const value = metadata.labels?.[label];
      if (isIn(path, key) && value !== undefined && Number(value) < Number(below)) this.objects.delete(key);
    }
    return { status: 200, body: {} };
  }

  #review(body: Stored | undefined): ApiAnswer {
    const { token = '' } = (body?.spec ?? {}) as { token?: string };
    const status = this.reviews.get(token) ?? { authenticated: false, error: 'invalid bearer token' };
    return { status: 201, body: { status } };
  }
}

const NOT_FOUND: ApiAnswer = { status: 404, body: { message: 'not found' } };
const CONFLICT: ApiAnswer = { status: 409, body: { message: 'conflict' } };

/** Whether a collection, of one namespace or of all, holds the object. */
function isIn(collection: string, key: string): boolean {
  const [, kind = ''] = /\/([a-z]+)$/.exec(collection) ?? [];
  return kind === 'namespaces'
    ? /^\/api\/v1\/namespaces\/[^/]+$/.test(key)
    : key.startsWith(collection.slice(0, collection.lastIndexOf('/'))) && key.includes(`/${kind}/`);
}
