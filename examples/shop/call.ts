import { type Agent, get } from 'node:http';

/** An answer of another service, or why none came. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/**
 * Asks another service by plain HTTP. Nothing here knows of TLS: the address is a port on this machine, where the
 * caller's sidecar listens and takes the request to the other service's sidecar.
 */
export function call(url: string, agent?: Agent): Promise<Answer> {
  return new Promise((resolve) => {
    const fail = (error: Error): void => resolve({ status: 502, body: { error: error.message } });
    const request = get(url, { agent: agent ?? false, timeout: 4_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('error', fail);
      response.on('end', () => resolve({ status: response.statusCode ?? 502, body: parse(text) }));
    });
    request.on('timeout', () => request.destroy(new Error('no answer within 4 s')));
    request.on('error', fail);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
