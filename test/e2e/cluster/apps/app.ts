/**
 * The stories' application: knows nothing of Sallyport.
 *
 * serve PORT      answers every HTTP request with {"name", "from", "to"}: its host name and the connection's addresses;
 *                 writes each request's path
 * get URL         writes the answer to a GET; exit code 1 without one
 * resolve NAME    writes the addresses that the cluster's DNS answers, asked over TCP
 * wait            does nothing until it is told to end
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { hostname } from 'node:os';

const WAIT_MILLISECONDS = 10_000;
const [command, argument = ''] = process.argv.slice(2);
process.on('SIGTERM', () => process.exit(0));

if (command === 'serve') serve(Number(argument));
else if (command === 'get') await get(argument);
else if (command === 'resolve') await resolve(argument);
else if (command === 'wait') setInterval(() => undefined, 60_000);
else throw new Error(`${command}: serve, get, resolve or wait`);

function serve(port: number): void {
  const server = createServer((request, response) => {
    const { remoteAddress, localAddress } = request.socket;
    console.log(request.url);
    response.setHeader('content-type', 'application/json');
    response.end(`${JSON.stringify({ name: hostname(), from: remoteAddress, to: localAddress })}\n`);
  });
  server.listen(port, '::');
}

async function get(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(WAIT_MILLISECONDS) });
  process.stdout.write(await response.text());
  if (!response.ok) process.exitCode = 1;
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
