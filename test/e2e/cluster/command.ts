import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandOptions } from './cluster.ts';

/** A program that ended with an error, or not in time. The message has all that it wrote. */
class CommandFailed extends Error {
  readonly code: number | undefined;
  readonly output: string;

  constructor(command: readonly string[], how: string, code: number | undefined, output: string) {
    super(`${command.join(' ')}: ${how}\n${output}`.trim());
    this.name = 'CommandFailed';
    this.code = code;
    this.output = output;
  }
}

interface RunOptions extends CommandOptions {
  readonly cwd?: string;
}

/** Runs a program to its end. Resolves with its standard output. */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const { input = '', timeoutMilliseconds = 180_000, cwd, environment } = options;
  const [program = '', ...args] = command;
  const child = spawn(program, args, { cwd, env: { ...process.env, ...environment }, stdio: 'pipe' });
  let stdout = '';
  let both = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    both += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    both += text;
  });
  // It may end before it has read everything; its exit code says what that means.
  child.stdin.on('error', () => undefined).end(input);
  const late = setTimeout(() => child.kill('SIGKILL'), timeoutMilliseconds);
  try {
    const code = await new Promise<number | null>((resolve, reject) =>
      child.on('error', reject).on('close', resolve),
    );
    if (code === 0) return stdout;
    const how = code === null ? `ended after ${timeoutMilliseconds} ms at the latest` : `exit code ${code}`;
    throw new CommandFailed(command, how, code ?? undefined, both);
  } finally {
    clearTimeout(late);
  }
}

/** The tree's own program as a command line, with a kubeconfig and no mesh of this machine in its way. */
export function sallyport(
  kubeconfig: string,
  args: readonly string[],
  { environment = {} }: CommandOptions = {},
): readonly string[] {
  const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
  const { KUBECONFIG = kubeconfig } = environment;
  return ['env', `KUBECONFIG=${KUBECONFIG}`, 'HOME=/nonexistent', process.execPath, main, ...args];
}

/** Tries until it holds. After the time is over, throws what the last try threw. */
export async function eventually<T>(attempt: () => Promise<T>, milliseconds = 90_000): Promise<T> {
  const end = Date.now() + milliseconds;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() >= end) throw error;
      await delay(250);
    }
  }
}

/** Rejects as long as `attempt` succeeds. */
export async function expectGone(attempt: () => Promise<unknown>): Promise<void> {
  const answer = await attempt().then(
    (value) => ({ value }),
    () => undefined,
  );
  if (answer !== undefined) throw new Error(`it still answers: ${String(answer.value)}`);
}
