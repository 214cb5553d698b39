import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { TestSidecar } from './mesh.ts';

export interface AdminResponse {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Asks a sidecar's admin port as a program on this machine would. */
export function adminOf({ sidecar }: TestSidecar) {
  const { host, port } = sidecar.addresses.admin;
  const ask = (path: string, method = 'GET', headers: Record<string, string> = {}): Promise<AdminResponse> =>
    new Promise((resolve, reject) => {
      const sent = request({ host, port, path, method, headers, agent: false }, (response) => {
        const { statusCode = 0, headers } = response;
        text(response).then(
          (body) => resolve({ status: statusCode, type: headers['content-type'] ?? '', body }),
          reject,
        );
      });
      sent.on('error', reject).end();
    });
  return {
    ask,
    text: async (path: string) => (await ask(path)).body,
    json: async <T>(path: string) => JSON.parse((await ask(path)).body) as T,
  };
}
