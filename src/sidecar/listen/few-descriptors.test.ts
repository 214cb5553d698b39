import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { eventually, readAll, tcpClient, tcpServer } from '../testing/sockets.ts';

const PROGRAM = fileURLToPath(new URL('../testing/few-descriptors.ts', import.meta.url));
const OPEN_FILES = 64;

test('the accept loop outlives the last descriptor', async ({ skip }) => {
  skip(process.platform === 'win32', 'Windows has no ulimit');
  const echo = await tcpServer((socket) => socket.pipe(socket));
  const command = `ulimit -n ${OPEN_FILES}; exec "$0" "$@"`;
  const program = spawn('sh', ['-c', command, process.execPath, PROGRAM, String(echo.port)]);
  const lines: string[] = [];
  createInterface(program.stdout).on('line', (line) => lines.push(line));
  let complaints = '';
  program.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  try {
    await eventually(() => lines.length > 0 || program.exitCode !== null, 'the port');
    const endpoint = { host: '127.0.0.1', port: Number(lines[0]) };
    expect(endpoint.port, complaints).toBeGreaterThan(0);
    const clients = await Promise.all(Array.from({ length: 2 * OPEN_FILES }, () => tcpClient(endpoint)));
    for (const client of clients) client.resume();
    // What can't be accepted is closed by libuv without a word; what can't be dialled for says why.
    await eventually(() => lines.includes('descriptors-exhausted'), `the reason; there is ${lines.join()}`);
    await eventually(
      () => clients.some(({ closed, readableEnded }) => closed || readableEnded),
      'some are turned away',
    );
    for (const client of clients) client.destroy();
    // The program sees them go one by one; until then a call may still be turned away.
    let echoed = '';
    for (let tries = 0; echoed === '' && tries < 100; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const late = await tcpClient(endpoint);
      late.end('alive');
      echoed = (await readAll(late)).bytes.toString();
      late.destroy();
    }
    expect(echoed).toBe('alive');
    expect(program.exitCode).toBeNull();
  } finally {
    program.kill();
    await echo.close();
  }
});
