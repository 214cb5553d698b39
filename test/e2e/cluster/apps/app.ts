/**
 * The stories' application: knows nothing of Sallyport.
 *
 * serve PORT      answers every HTTP request with {"name", "path", "from", "to"}: its host name and the connection's addresses;
 *                 writes each request's path; when it is told to end, lets those that came end first
 * probed          serves HTTP on port 8080, HTTPS on 8443 with a certificate of its own, and gRPC's health service on 9000
 * get URL         writes the answer to a GET; exit code 1 without one
 * reach URL       the same, but asks for a minute until there is one
 * load URL        asks again and again, each time by a new connection, and writes the name of who answered, or the error
 * status URL      writes the status of the answer to a GET, whatever it is
 * resolve NAME    writes the addresses that the cluster's DNS answers, asked over TCP
 * wait            does nothing until it is told to end
 */
import { readFileSync } from 'node:fs';
import { createServer, get as httpGet, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

const WAIT_MILLISECONDS = 20_000;
const REACH_MILLISECONDS = 60_000;
const [command, argument = ''] = process.argv.slice(2);
let end = (): void => process.exit(0);
process.on('SIGTERM', () => end());

if (command === 'serve') serve(Number(argument));
else if (command === 'probed') probed(readFileSync(argument));
else if (command === 'get') await get(argument);
else if (command === 'reach') await reach(argument);
else if (command === 'load') await load(argument);
else if (command === 'status') await status(argument);
else if (command === 'resolve') await resolve(argument);
else if (command === 'wait') setInterval(() => undefined, 60_000);
else throw new Error(`${command}: serve, probed, get, reach, load, status, resolve or wait`);

function serve(port: number): void {
  const server = createServer(answer).listen(port, '::');
  end = () => void server.close(() => process.exit(0));
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { remoteAddress, localAddress } = request.socket;
  console.log(request.url);
  response.setHeader('content-type', 'application/json');
  const path = request.url;
  response.end(`${JSON.stringify({ name: hostname(), path, from: remoteAddress, to: localAddress })}\n`);
}

/** @param pem a certificate and its key */
function probed(pem: Buffer): void {
  serve(8080);
  createHttpsServer({ cert: pem, key: pem }, answer).listen(8443, '::');
  // grpc.health.v1.Health/Check: whatever is asked for, a HealthCheckResponse that says SERVING.
  const health = createHttp2Server();
  health.on('stream', (stream: ServerHttp2Stream, headers) => {
    console.log(headers[':path']);
    stream.on('error', () => undefined).resume();
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(Buffer.from([0, 0, 0, 0, 2, 8, 1]));
  });
  health.listen(9000, '::');
}

async function get(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(WAIT_MILLISECONDS) });
  process.stdout.write(await response.text());
  if (!response.ok) process.exitCode = 1;
}

async function reach(url: string): Promise<void> {
  const end = performance.now() + REACH_MILLISECONDS;
  for (;;) {
    try {
      await get(url);
      return;
    } catch (error) {
      if (performance.now() >= end) throw error;
      await delay(500);
    }
  }
}

async function load(url: string): Promise<void> {
  for (;;) {
    const began = performance.now();
    const outcome = await once(url).catch((error: NodeJS.ErrnoException) => error.code ?? error.message);
    console.log(`${outcome} ${Math.round(performance.now() - began)}`);
    await delay(20);
  }
}

/** Rejects unless the whole answer came. */
function once(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(WAIT_MILLISECONDS);
    httpGet(url, { agent: false, signal }, (response) => {
      text(response).then(
        (body) => resolve(`${response.statusCode} ${(JSON.parse(body) as { name: string }).name}`),
        reject,
      );
    }).on('error', reject);
  });
}

async function status(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(WAIT_MILLISECONDS), redirect: 'manual' });
  process.stdout.write(`${response.status}\n`);
}

/** RFC 1035 4.1 and 4.2.2: one question of type A, with its length before it as TCP wants. */
async function resolve(name: string): Promise<void> {
  const [, server = ''] = /^nameserver (\S+)/m.exec(readFileSync('/etc/resolv.conf', 'utf8')) ?? [];
  const labels = name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
  const header = Buffer.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const question = Buffer.concat([header, ...labels, Buffer.from([0, 0, 1, 0, 1])]);
  const socket = connect(53, server).setTimeout(WAIT_MILLISECONDS, () =>
    socket.destroy(new Error('no answer')),
  );
  socket.write(Buffer.concat([Buffer.from([0, question.length]), question]));
  for await (const chunk of socket) {
    const answer = chunk as Buffer;
    // The last four bytes of the only answer are its address.
    if (answer.readUInt16BE(8) > 0) process.stdout.write(`${[...answer.subarray(-4)].join('.')}\n`);
    break;
  }
}
