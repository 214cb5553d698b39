import { spawn } from 'node:child_process';

export type ToolResult =
  | { readonly kind: 'missing' }
  | {
      readonly kind: 'ended';
      readonly code: number | null;
      readonly stdout: string;
      readonly stderr: string;
    };

/** Runs a program of the system and gives it `input`. */
export type RunTool = (program: string, args: readonly string[], input: string) => Promise<ToolResult>;

/** Without a shell, with an environment of our own; what it prints is cut, and it has ten seconds. */
export const runTool: RunTool = (program, args, input) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: ENVIRONMENT, stdio: 'pipe', timeout: TIMEOUT_MILLISECONDS });
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') resolve({ kind: 'missing' });
      else reject(error);
    });
    child.on('close', (code) => resolve({ kind: 'ended', code, stdout: stdout(), stderr: stderr() }));
    // It may refuse its input and leave: its exit code says so.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });

/** Fixed, so that nobody's PATH chooses the program that runs with NET_ADMIN, and messages are in one language. */
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin', LC_ALL: 'C' };
const TIMEOUT_MILLISECONDS = 10_000;
const MOST_CHARACTERS = 1_000_000;

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    if (text.length < MOST_CHARACTERS) text += chunk;
  });
  return () => text;
}
