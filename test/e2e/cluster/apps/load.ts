/**
 * Calls a server (steady.ts) at a steady rate, without ever repeating a call, until SIGTERM; then writes what came of it
 * as a line of JSON. A call that was answered late or wrongly has failed.
 *
 * load.ts new HOST MILLISECONDS         HTTP/1.1, each request over a connection of its own
 * load.ts keep-alive HOST MILLISECONDS  HTTP/1.1, over one connection as long as the server keeps it
 * load.ts stream HOST MILLISECONDS      messages in one HTTP/2 stream as long as the server keeps it
 * load.ts tcp HOST MILLISECONDS         messages over one TCP connection, and over another only when that one is lost
 */
import { Agent, get } from 'node:http';
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Answers } from './answers.ts';
import { frame, Frames } from './frames.ts';

const SHOWN_FAILURES = 20;
const [kind = '', host = '', pause = '100'] = process.argv.slice(2);
const report = {
  kind,
  calls: 0,
  answered: 0,
  failed: 0,
  connections: 0,
  slowestMs: 0,
  names: {} as Record<string, number>,
  failures: [] as { readonly at: string; readonly error: string }[],
};

/** One call: resolves with the name of who answered. */
type Call = () => Promise<string>;

const kinds: Record<string, () => Call> = {
  new: () => () => request(false),
  'keep-alive': () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    return () => request(agent);
  },
  stream: streamed,
  tcp: connected,
};

const told = { toEnd: false };
process.on('SIGTERM', () => (told.toEnd = true));
// Something to look at while it runs.
setInterval(() => console.log(JSON.stringify({ ...report, running: true })), 1_000).unref();
const make = kinds[kind];
if (make === undefined) throw new Error(`${kind}: ${Object.keys(kinds).join(', ')}`);
const call = make();
while (!told.toEnd) {
  const began = performance.now();
  report.calls += 1;
  try {
    const name = await call();
    report.answered += 1;
    report.names[name] = (report.names[name] ?? 0) + 1;
  } catch (error) {
    report.failed += 1;
    const { message, code = '' } = error as NodeJS.ErrnoException;
    if (report.failures.length < SHOWN_FAILURES) {
      report.failures.push({ at: new Date().toISOString(), error: `${code} ${message}`.trim() });
    }
  }
  const took = performance.now() - began;
  report.slowestMs = Math.max(report.slowestMs, Math.round(took));
  await delay(Math.max(Number(pause) - took, 0));
}
console.log(JSON.stringify({ ...report, running: false }));
process.exit(0);

function request(agent: Agent | false): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = get({ host, port: 8080, agent, timeout: Answers.MILLISECONDS }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('error', reject).on('end', () => resolve((JSON.parse(text) as { name: string }).name));
    });
    sent.on('socket', (socket) => {
      if (!sent.reusedSocket) socket.once('connect', () => (report.connections += 1));
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer in time'))).on('error', reject);
  });
}

function streamed(): Call {
  let open:
    | { session: ClientHttp2Session; stream: ClientHttp2Stream; answers: Answers; name: string }
    | undefined;
  let number = 0;
  const start = (): Promise<NonNullable<typeof open>> =>
    new Promise((resolve, reject) => {
      const session = connectHttp2(`http://${host}:8081`);
      const answers = new Answers();
      const frames = new Frames();
      const fail = (error: Error): void => {
        answers.fail(error);
        reject(error);
      };
      session.on('error', fail);
      const stream = session.request({ ':method': 'POST', ':path': '/echo', te: 'trailers' });
      const here = { session, stream, answers, name: '' };
      const leave = async (): Promise<void> => {
        if (open === here) open = undefined;
        await answers.none();
        stream.end();
        session.close();
      };
      stream.on('error', fail).on('data', (chunk: Buffer) => {
        for (const message of frames.read(chunk)) {
          if (message.startsWith('name ')) {
            here.name = message.slice(5);
            report.connections += 1;
            resolve(here);
          } else if (message === 'leaving') void leave();
          else answers.take(message);
        }
      });
      let ended = false;
      stream.on('trailers', ({ 'grpc-status': status }) => (ended = status === '0'));
      stream.on('close', () => {
        if (open === here) open = undefined;
        if (!ended || open === here) fail(new Error('the stream was cut'));
      });
    });
  return async () => {
    open ??= await start();
    const { session, stream, answers, name } = open;
    number += 1;
    const answered = answers.ask(String(number));
    stream.write(frame(String(number)));
    await answered.catch((error: unknown) => {
      session.destroy();
      throw error;
    });
    return name;
  };
}

function connected(): Call {
  let open: { socket: Socket; answers: Answers } | undefined;
  let number = 0;
  const start = async (): Promise<NonNullable<typeof open>> => {
    const answers = new Answers();
    const socket = connectTcp({ host, port: 8082 });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    report.connections += 1;
    const here = { socket, answers };
    const lose = (error: Error): void => {
      if (open === here) open = undefined;
      answers.fail(error);
    };
    let rest = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) answers.take(line);
    });
    socket.on('error', lose).on('close', () => lose(new Error('the connection was cut')));
    return here;
  };
  return async () => {
    open ??= await start();
    const { socket, answers } = open;
    number += 1;
    const answered = answers.ask(String(number));
    socket.write(`${number}\n`);
    // What comes late would be taken for the next one's answer.
    await answered.catch((error: unknown) => {
      socket.destroy();
      throw error;
    });
    return 'tcp';
  };
}
