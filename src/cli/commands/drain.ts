import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { UsageError } from '../usage-error.ts';

export interface DrainOptions {
  readonly adminPort: number;
  readonly forMilliseconds: number;
}

/**
 * `sallyport drain`: tells the sidecar that this pod ends and waits until no connection from the network is left. Calls of
 * the application go on. 0 when they are gone or the time is over, for then the kubelet goes on anyway; throws UsageError
 * where there is no sidecar.
 */
export async function drain({ adminPort, forMilliseconds }: DrainOptions): Promise<number> {
  const end = performance.now() + forMilliseconds;
  let { inbound } = await begin(adminPort, end);
  while (inbound > 0 && performance.now() < end) {
    await delay(Math.min(POLL_MILLISECONDS, Math.max(end - performance.now(), 0)));
    ({ inbound } = await look(adminPort, end, inbound));
  }
  const left =
    inbound === 1 ? '1 connection from the network is' : `${inbound} connections from the network are`;
  process.stdout.write(
    inbound === 0
      ? 'No connection from the network is left.\n'
      : `${left} left after ${forMilliseconds} ms.\n`,
  );
  return 0;
}

const POLL_MILLISECONDS = 100;
const ANSWER_MILLISECONDS = 2_000;
/** Whoever asks for no wait at all still wants the sidecar told. */
const LEAST_MILLISECONDS = 500;
const ANSWER_BYTES = 1_024;

interface DrainState {
  readonly inbound: number;
}

/** Tells the sidecar. One that is too busy to answer is told again: the pod ends, whether or not it has heard. */
async function begin(port: number, end: number): Promise<DrainState> {
  for (;;) {
    try {
      return await answer('POST', port, end);
    } catch (error) {
      if (isTimeout(error) && performance.now() < end) continue;
      if (error instanceof UsageError) throw error;
      throw new UsageError(
        `The sidecar's admin port 127.0.0.1:${port} does not answer: ${(error as Error).message}. ` +
          'Run this in the network namespace of the sidecar, and give --admin-port if it is another one.',
      );
    }
  }
}

/** How many are left; as many as before where it does not say, and none where it has ended by now. */
async function look(port: number, end: number, before: number): Promise<DrainState> {
  try {
    return await answer('GET', port, end);
  } catch (error) {
    const isGone = (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
    return { inbound: isGone ? 0 : before };
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError');
}

async function answer(method: 'GET' | 'POST', port: number, end: number): Promise<DrainState> {
  const state = JSON.parse(await text(method, port, end)) as Partial<DrainState> | null;
  const inbound = state?.inbound;
  if (typeof inbound !== 'number' || !Number.isSafeInteger(inbound) || inbound < 0)
    throw new UsageError(`What listens on port ${port} is no sidecar of this version.`);
  return { inbound };
}

/** The body of a 2xx answer. */
function text(method: string, port: number, end: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const left = Math.ceil(Math.max(end - performance.now(), LEAST_MILLISECONDS));
    const signal = AbortSignal.timeout(Math.min(ANSWER_MILLISECONDS, left));
    const target = { host: '127.0.0.1', port, method, path: '/drain' };
    const call = request({ ...target, signal, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('error', reject);
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > ANSWER_BYTES) call.destroy(new Error('the answer is too long'));
      });
      response.on('end', () => {
        const { statusCode = 0 } = response;
        if (statusCode >= 200 && statusCode < 300) resolve(text);
        else reject(new Error(`it answered with status ${statusCode}`));
      });
    });
    call.on('error', reject);
    call.end();
  });
}
