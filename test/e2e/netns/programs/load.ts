/**
 * `load.ts HOST PORT` calls again and again, each time by a connection of its own: sends a word and expects it back.
 * Prints `right`, `wrong` or the error's code for each call, with the milliseconds that it took.
 */
import { connect } from 'node:net';

const [host = '', port = ''] = process.argv.slice(2);
let calls = 0;
for (;;) {
  calls += 1;
  const start = performance.now();
  const outcome = await call(`word ${calls}`);
  console.log(`${outcome} ${Math.round(performance.now() - start)}`);
  await new Promise((resolve) => setTimeout(resolve, 5));
}

function call(word: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: 5_000 });
    let text = '';
    socket.setEncoding('utf8');
    socket.end(word);
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('timeout', () => socket.destroy(Object.assign(new Error('no answer'), { code: 'no-answer' })));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    // An end that is none: an empty answer to a word would be a connection that was cut and looks whole.
    socket.on('end', () => resolve(text === word ? 'right' : 'wrong'));
  });
}
