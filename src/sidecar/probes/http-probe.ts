import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TlsError } from '#handshake';
import type { CheckedConfig } from '../config.ts';
import { formatEndpoint } from '../listen/endpoint.ts';
import { SIDECAR_REASONS } from '../reason.ts';
import { unlessEnded } from '../unless-ended.ts';
import { dialApplication, type ProbeContext } from './dial.ts';
import type { Asking, HttpTarget } from './probe.ts';
import { isRelative, redirected } from './redirect.ts';

/** Asks as the kubelet would, redirects included. Resolves with the status; throws TlsError where there is none. */
export async function probeHttp(target: HttpTarget, context: ProbeContext): Promise<number> {
  const { host: given, others } = headersOf(target, context.asking);
  let url = urlOf(target, context.host);
  // Go says the port even where it is the scheme's own.
  let host = given ?? `${url.hostname}:${target.port}`;
  for (let asked = 0; asked < MOST_REQUESTS; asked += 1) {
    const { status, location = '' } = await ask(url, { ...others, host }, context);
    const next = redirected(status, location, url);
    if (next === undefined) return status;
    host = given !== undefined && isRelative(location) ? given : next.host;
    url = next;
  }
  throw invalid(`stopped after ${MOST_REQUESTS} redirects`);
}

/** Kubernetes, pkg/probe/http/http.go: maxRedirects. */
const MOST_REQUESTS = 10;

/** The path is taken as a path: one that begins with `//` names no other host. */
function urlOf({ scheme, port, path }: HttpTarget, host: string): URL {
  const url = new URL(`${scheme.toLowerCase()}://${formatEndpoint({ host, port })}`);
  const [, pathname = '', search = ''] = /^([^?#]*)(\?[^#]*)?/.exec(path) ?? [];
  url.pathname = pathname;
  url.search = search;
  return url;
}

interface Headers {
  /** Undefined: the host that is asked. */
  readonly host: string | undefined;
  readonly others: OutgoingHttpHeaders;
}

/** Kubernetes, pkg/probe/http/request.go: an empty Accept is left out, a missing one is any. */
function headersOf({ headers }: HttpTarget, asking: Asking): Headers {
  const given = Map.groupBy(headers, ({ name }) => name.toLowerCase());
  const rest = [...given].filter(([name]) => !SPECIAL.has(name));
  const first = (name: string): string | undefined => given.get(name)?.[0]?.value;
  const accept = first('accept') ?? asking.accept;
  const others = {
    'user-agent': first('user-agent') ?? asking.userAgent,
    ...(accept === '' ? {} : { accept }),
    ...Object.fromEntries(rest.map(([name, all]) => [name, all.map(({ value }) => value)])),
  };
  return { host: first('host'), others };
}

const SPECIAL: ReadonlySet<string> = new Set(['host', 'accept', 'user-agent']);

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
}

async function ask(url: URL, headers: OutgoingHttpHeaders, context: ProbeContext): Promise<Answer> {
  const { config, isSidecarPort, signal } = context;
  const secure = url.protocol === 'https:';
  if (!secure && url.protocol !== 'http:') throw invalid(`it redirects to ${url.protocol}`);
  const port = Number(url.port || (secure ? 443 : 80));
  // We would ask ourselves, perhaps for this very probe.
  if (isSidecarPort(port)) throw invalid(`it redirects to port ${port}, which is the sidecar's own`);
  const { socket, close } = await dialApplication(port, context);
  try {
    const stream = secure ? await overTls(socket, signal) : socket;
    return await unlessEnded(exchange(stream, url, headers, config), signal);
  } finally {
    close();
  }
}

/** Loaded when it is first asked for: most pods have no such probe. */
async function overTls(socket: Socket, signal: AbortSignal): Promise<Duplex> {
  const { tlsWithAnybody } = await import('./any-tls.ts');
  return unlessEnded(tlsWithAnybody(socket), signal);
}

/** The status once the body is over, of which no more is read than a kubelet reads. */
function exchange(
  stream: Duplex,
  url: URL,
  headers: OutgoingHttpHeaders,
  { limits }: CheckedConfig,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(invalid(error.message));
    const call = request({
      createConnection: () => stream,
      path: `${url.pathname}${url.search}`,
      headers,
      setHost: false,
      maxHeaderSize: limits.probeHeaderBytes,
    });
    call.on('error', fail);
    call.on('upgrade', (_response, upgraded: Duplex) => {
      upgraded.destroy();
      fail(new Error('it answered with another protocol'));
    });
    call.on('response', (response: IncomingMessage) => {
      const { statusCode: status = 0, headers } = response;
      const answer = { status, location: headers.location };
      let bytes = 0;
      response.on('error', fail);
      response.on('end', () => resolve(answer));
      response.on('close', () => fail(new Error('the answer was cut')));
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > limits.probeBodyBytes) resolve(answer);
      });
    });
    call.end();
  });
}

function invalid(detail: string): TlsError {
  return new TlsError(SIDECAR_REASONS['probe-answer-invalid'], detail);
}
