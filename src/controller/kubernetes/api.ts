import { createConfiguration, HttpMethod, type KubeConfig, RequestContext } from '@kubernetes/client-node';

export interface ApiAnswer {
  readonly status: number;
  /** Parsed JSON; of an error it is a Status. */
  readonly body: unknown;
}

/**
 * Single objects of Kubernetes, over the official client's credentials, TLS and HTTP. Answers with whatever status the
 * API server gave, as a conflict is an answer here; rejects with ApiUnavailable when there was none.
 */
export interface KubernetesApi {
  /** PATCH is a server-side apply. */
  send(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH',
    path: string,
    body?: object,
    signal?: AbortSignal,
  ): Promise<ApiAnswer>;
}

export class ApiUnavailable extends Error {
  constructor(path: string, cause: unknown) {
    const inner = cause instanceof Error && cause.cause instanceof Error ? `: ${cause.cause.message}` : '';
    super(`the API server did not answer for ${path}: ${String(cause)}${inner}`);
    this.name = 'ApiUnavailable';
  }
}

export function kubernetesApi(config: KubeConfig): KubernetesApi {
  const { httpApi } = createConfiguration();
  return {
    async send(method, path, body, signal) {
      const cluster = config.getCurrentCluster();
      if (cluster === null) throw new ApiUnavailable(path, 'the kubeconfig names no current cluster');
      const request = new RequestContext(cluster.server + path, HttpMethod[method]);
      const timeout = AbortSignal.timeout(TIMEOUT_MILLISECONDS);
      request.setSignal(signal === undefined ? timeout : AbortSignal.any([signal, timeout]));
      if (body !== undefined) {
        const type = method === 'PATCH' ? 'application/apply-patch+yaml' : 'application/json';
        request.setHeaderParam('Content-Type', type);
        request.setBody(JSON.stringify(body));
      }
      try {
        await config.applySecurityAuthentication(request);
        const response = await httpApi.send(request).toPromise();
        const text = await response.body.text();
        return { status: response.httpStatusCode, body: parseJson(text) };
      } catch (error) {
        throw new ApiUnavailable(path, error);
      }
    },
  };
}

/** What an API server said of an error, for people. */
export function statusText({ status, body }: ApiAnswer): string {
  const message = (body as { message?: unknown } | undefined)?.message;
  return `HTTP ${status}${typeof message === 'string' ? `: ${message}` : ''}`;
}

const TIMEOUT_MILLISECONDS = 10_000;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
