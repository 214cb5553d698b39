import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { LineSplitter } from '../services/lines.ts';
import { UsageError } from '../usage-error.ts';

/** True if something accepts connections on this Unix socket. Never rejects. */
export function isAlive(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', () => resolve(false));
  });
}

/** The JSON that a running mesh answers with. It is our own program on the user's own socket: the type is believed. */
export async function askControl<T>(socket: string, path: string): Promise<T> {
  const response = await open(socket, path);
  response.setEncoding('utf8');
  let text = '';
  try {
    for await (const part of response) text += part as string;
  } catch (error) {
    throw explained(error as Error);
  }
  if (response.statusCode !== 200)
    throw new Error(`the mesh answered ${response.statusCode}: ${text.trim()}`);
  return JSON.parse(text) as T;
}

/** Calls `take` for each JSON object as it comes; resolves when the mesh ends or the signal aborts. */
export async function followControl<T>(
  socket: string,
  path: string,
  take: (value: T) => void,
  signal: AbortSignal,
): Promise<void> {
  const response = await open(socket, path);
  const lines = new LineSplitter((line) => take(JSON.parse(line) as T), LONGEST_RECORD);
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => response.destroy(), { once: true });
    response.on('data', (bytes: Buffer) => lines.push(bytes));
    response.on('error', () => response.destroy());
    response.once('close', resolve);
    if (signal.aborted) response.destroy();
  });
}

const LONGEST_RECORD = 1024 * 1024;

function open(socketPath: string, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get({ socketPath, path, agent: false }, resolve).once('error', (error) => reject(explained(error)));
  });
}

/** It answered a moment ago, so a socket that is gone or cut off means that its mesh goes away. */
function explained(error: NodeJS.ErrnoException): Error {
  if (!ENDING.has(error.code ?? '')) return error;
  return new UsageError('That mesh is just ending. Start it again with: sallyport up -f mesh.yaml');
}

const ENDING = new Set(['ECONNRESET', 'ECONNREFUSED', 'ENOENT', 'EPIPE']);
