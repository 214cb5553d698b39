/**
 * Reads lines `ID HOST PORT`, connects and answers each with a line `ID TEXT`: what came until the end, or the error's
 * code. Ten seconds at most, which only a machine that is busy with other things takes.
 */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const [id = '', host = '', port = ''] = line.split(' ');
  call(host, Number(port), (text) => console.log(`${id} ${text.trim()}`));
}

function call(host: string, port: number, done: (text: string) => void): void {
  const socket = connect({ host, port, timeout: 10_000 });
  let text = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('timeout', () => socket.destroy(Object.assign(new Error('no answer'), { code: 'no-answer' })));
  socket.on('error', (error: NodeJS.ErrnoException) => {
    text += error.code ?? error.message;
  });
  socket.on('close', () => done(text));
}
