import { expect, test } from 'vitest';
import { openSocketCalls } from '../intercept/socket-calls.ts';
import { readAll, socketPair } from '../testing/sockets.ts';
import { socketEnd } from './end.ts';

async function calls() {
  const opened = await openSocketCalls();
  if (!opened.ok) throw new Error(opened.error.detail);
  return opened.value;
}

test('a socket that is closed in the middle, as a dying process does it, is reset', async (context) => {
  if (process.platform !== 'linux') context.skip('needs Linux');
  const { resetOnDeath } = await calls();
  const pair = await socketPair();
  const { stream } = socketEnd(pair.near, 'application', resetOnDeath);
  stream.write('half of');
  await new Promise((resolve) => pair.far.once('readable', resolve));
  stream.destroy();
  expect((await readAll(pair.far)).ending).toBe('reset');
  pair.close();
});

test('one that ends in the ordinary way loses nothing, however much is still on its way', async (context) => {
  if (process.platform !== 'linux') context.skip('needs Linux');
  const { resetOnDeath } = await calls();
  for (const length of [1, 65_536, 8 * 1024 * 1024]) {
    const pair = await socketPair();
    const { stream } = socketEnd(pair.near, 'application', resetOnDeath);
    stream.resume();
    stream.end(Buffer.alloc(length, 1));
    // A slow reader: most of it waits in our side's buffers when the process is done with the socket.
    pair.far.pause();
    pair.far.end();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const reading = readAll(pair.far);
    pair.far.resume();
    const { bytes, ending } = await reading;
    expect([bytes.length, ending]).toEqual([length, 'end']);
    await new Promise((resolve) => (pair.near.closed ? resolve(0) : pair.near.once('close', resolve)));
    pair.close();
  }
});
