import { createConfiguration, HttpMethod, type KubeConfig, RequestContext } from '@kubernetes/client-node';
import { ApiError } from './api-error.ts';
import { splitLines } from './lines.ts';

/** The part of an object that every kind has. */
export interface ApiObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly resourceVersion?: string;
  };
}

export interface ApiPage {
  readonly items: readonly ApiObject[];
  readonly resourceVersion: string;
  /** Where the next page begins; undefined: this was the last. */
  readonly next: string | undefined;
}

export interface ApiEvent {
  readonly type: string;
  /** Of type ERROR it is a Status. */
  readonly object: ApiObject | ApiStatus;
}

/** meta/v1 Status */
export interface ApiStatus {
  readonly code?: number;
  readonly message?: string;
}

type Query = Readonly<Record<string, string | number | boolean>>;

/**
 * List and watch as the API server speaks them, over the official client's credentials, TLS and HTTP. Its informers are
 * not used, for reasons that docs/adr/0005-list-and-watch.md gives one by one.
 */
export interface ApiObjects {
  /** One page. Rejects with ApiError. */
  list(path: string, query: Query, signal: AbortSignal): Promise<ApiPage>;
  /** Lines as they come, until the server ends the answer. Throws ApiError. */
  watch(path: string, query: Query, signal: AbortSignal): AsyncIterable<ApiEvent>;
}

export function apiObjects(config: KubeConfig): ApiObjects {
  const { httpApi } = createConfiguration();
  const open = async (path: string, query: Query, signal: AbortSignal) => {
    const cluster = config.getCurrentCluster();
    if (cluster === null) throw new ApiError('failed', 'the kubeconfig names no current cluster');
    const url = new URL(cluster.server + path);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
    const request = new RequestContext(url.toString(), HttpMethod.GET);
    await config.applySecurityAuthentication(request);
    request.setSignal(signal);
    const response = await failing(httpApi.send(request).toPromise(), signal);
    if (response.httpStatusCode === OK) return response.body;
    const text = await failing(response.body.text(), signal);
    throw new ApiError(
      'refused',
      `HTTP ${response.httpStatusCode}: ${messageOf(text)}`,
      response.httpStatusCode,
    );
  };
  return {
    async list(path, query, signal) {
      const body = await open(path, query, signal);
      return pageOf(await failing(body.text(), signal));
    },
    async *watch(path, query, signal) {
      const body = await open(path, { ...query, watch: true }, signal);
      const lines = splitLines(body.stream() ?? [], LONGEST_LINE_BYTES);
      try {
        for await (const line of lines) yield eventOf(line);
      } catch (error) {
        throw apiErrorOf(error, signal);
      }
    },
  };
}

const OK = 200;
/** etcd's own limit for an object is 1.5 MiB; JSON may say it longer. */
const LONGEST_LINE_BYTES = 8 * 1024 * 1024;
const LONGEST_MESSAGE = 300;

function pageOf(text: string): ApiPage {
  const { items, metadata } = parsed(text) as {
    items?: ApiObject[] | null;
    metadata?: { resourceVersion?: string; continue?: string };
  };
  if (metadata?.resourceVersion === undefined) {
    throw new ApiError('malformed', 'a list came without its resourceVersion');
  }
  for (const item of items ?? []) checkNamed(item);
  const { continue: next, resourceVersion } = metadata;
  return { items: items ?? [], resourceVersion, next: next === '' ? undefined : next };
}

function eventOf(line: string): ApiEvent {
  const event = parsed(line) as ApiEvent | null;
  if (typeof event?.type !== 'string' || typeof event.object !== 'object') {
    throw new ApiError('malformed', `no event: ${line.slice(0, LONGEST_MESSAGE)}`);
  }
  return event;
}

/** Of an event that is about one object. Throws ApiError. */
export function checkNamed(object: ApiEvent['object']): ApiObject {
  if (!('metadata' in object) || typeof object.metadata.name !== 'string') {
    throw new ApiError('malformed', `no object: ${JSON.stringify(object).slice(0, LONGEST_MESSAGE)}`);
  }
  return object;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError('malformed', `no JSON: ${text.slice(0, LONGEST_MESSAGE)}`);
  }
}

function messageOf(text: string): string {
  try {
    const { message = text } = JSON.parse(text) as ApiStatus;
    return message.slice(0, LONGEST_MESSAGE);
  } catch {
    return text.slice(0, LONGEST_MESSAGE);
  }
}

async function failing<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw apiErrorOf(error, signal);
  }
}

function apiErrorOf(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof ApiError) return error;
  if (signal.aborted) return signal.reason;
  // Of a failed fetch, the cause says more than the error.
  const { cause } = error as { cause?: unknown };
  return new ApiError(
    'failed',
    cause instanceof Error ? `${String(error)}: ${String(cause)}` : String(error),
  );
}
