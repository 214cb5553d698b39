import { dump } from './dump.ts';
import { readiness } from './readiness.ts';
import type { AdminParts } from './server.ts';

export interface Answer {
  readonly status: number;
  readonly type: 'application/json' | 'text/plain; version=0.0.4; charset=utf-8';
  readonly body: string;
}

type Route = (parts: AdminParts, query: URLSearchParams) => Answer | Promise<Answer>;

/** Path, then method. */
const ROUTES: Readonly<Record<string, Readonly<Record<string, Route>>>> = {
  '/metrics': {
    GET: async ({ config }) => ({
      status: 200,
      type: 'text/plain; version=0.0.4; charset=utf-8',
      body: await config.telemetry.metricsText(config.service),
    }),
  },
  '/ready': {
    GET: ({ config, draining }) => {
      const answer = readiness(config, draining());
      return json(answer.ready ? 200 : 503, answer);
    },
  },
  '/dump': { GET: (parts) => json(200, dump(parts)) },
  /** `?after=<sequence>`: only what came since. */
  '/handshakes': {
    GET: ({ config }, query) => {
      const after = Number(query.get('after') ?? '0');
      if (!Number.isSafeInteger(after))
        return problem(400, 'after is the number of a record: a whole number');
      const records = config.telemetry
        .recent()
        .filter((record) => record.service === config.service && record.sequence > after);
      return json(200, { handshakes: records.slice(-config.limits.adminRows) });
    },
  },
  /** How far the drain is: `inbound` connections are left. */
  '/drain': {
    GET: (parts) => json(200, drainState(parts)),
    POST: (parts) => {
      parts.drain();
      return json(202, drainState(parts));
    },
  },
};

/** Finds the route; what isn't there is answered with what is. */
export function answer(method: string, target: string, parts: AdminParts): Answer | Promise<Answer> {
  const url = URL.parse(target, 'http://localhost');
  if (url === null) return problem(400, 'the request target is no path');
  const methods = Object.hasOwn(ROUTES, url.pathname) ? ROUTES[url.pathname] : undefined;
  if (methods === undefined) return problem(404, `there are ${Object.keys(ROUTES).join(', ')}`);
  const route = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (route === undefined) return problem(405, `${url.pathname} takes ${Object.keys(methods).join(', ')}`);
  return route(parts, url.searchParams);
}

function drainState({ connections, draining }: AdminParts): object {
  return { draining: draining(), inbound: connections.count('inbound') };
}

export function problem(status: number, why: string): Answer {
  return json(status, { error: why });
}

function json(status: number, value: unknown): Answer {
  return { status, type: 'application/json', body: `${JSON.stringify(value)}\n` };
}
