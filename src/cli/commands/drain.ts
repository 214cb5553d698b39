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
  let { inbound } = await ask('POST', adminPort);
  while (inbound > 0 && performance.now() < end) {
    await delay(Math.min(POLL_MILLISECONDS, Math.max(end - performance.now(), 0)));
    // It may have ended by now: nothing is left of it then.
    ({ inbound } = await ask('GET', adminPort).catch(() => NOTHING_LEFT));
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
const ANSWER_BYTES = 1_024;

interface DrainState {
  readonly inbound: number;
}
const NOTHING_LEFT: DrainState = { inbound: 0 };

async function ask(method: 'GET' | 'POST', port: number): Promise<DrainState> {
  const { inbound } = await answer(method, port).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `The sidecar's admin port 127.0.0.1:${port} does not answer: ${why}. ` +
        'Run this in the network namespace of the sidecar, and give --admin-port if it is another one.',
    );
  });
  if (typeof inbound !== 'number')
    throw new UsageError(`What listens on port ${port} is no sidecar of this version.`);
  return { inbound };
}

/** The JSON of a 2xx answer. */
async function answer(method: string, port: number): Promise<Partial<DrainState>> {
  return JSON.parse(await text(method, port)) as Partial<DrainState>;
}

function text(method: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(ANSWER_MILLISECONDS);
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
