import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished, type TestContext } from 'vitest';

export interface ChildOptions {
  readonly cwd?: string;
  /** Added to ours. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Another program, with what it says. */
export class Child {
  readonly exit: Promise<Exit>;
  readonly #name: string;
  readonly #process: ChildProcess;
  readonly #stdout: Buffer[] = [];
  #output = '';
  #exited = false;
  #changed = Promise.withResolvers<void>();

  constructor(command: string, args: readonly string[], options: ChildOptions = {}) {
    this.#name = [command, args[0]].join(' ');
    this.#process = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.environment },
      stdio: 'pipe',
    });
    const hear = (chunk: Buffer): void => {
      this.#output += chunk.toString('latin1');
      this.#wake();
    };
    this.#process.stdout?.on('data', (chunk: Buffer) => {
      this.#stdout.push(chunk);
      hear(chunk);
    });
    this.#process.stderr?.on('data', hear);
    // It may leave before it has read everything: what matters then is its exit.
    this.#process.stdin?.on('error', () => undefined);
    this.exit = new Promise((resolve, reject) => {
      this.#process.on('error', reject);
      this.#process.on('close', (code, signal) => {
        this.#exited = true;
        this.#wake();
        resolve({ code, signal });
      });
    });
    this.exit.catch(() => undefined);
  }

  get pid(): number {
    if (this.#process.pid === undefined) throw new Error(`${this.#name} did not start`);
    return this.#process.pid;
  }

  /** Both outputs as they came, mixed. */
  get output(): string {
    return this.#output;
  }

  get stdout(): Buffer {
    return Buffer.concat(this.#stdout);
  }

  write(text: string | Uint8Array): void {
    this.#process.stdin?.write(text);
  }

  endInput(): void {
    this.#process.stdin?.end();
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Waits until the output matches. Throws with the output so far if the program ends or the time is over. */
  async says(pattern: RegExp, milliseconds = 30_000): Promise<RegExpExecArray> {
    const late = delay(milliseconds, 'late' as const, { ref: false });
    for (;;) {
      const found = pattern.exec(this.#output);
      if (found !== null) return found;
      if (this.#exited) throw new Error(`${this.#name} ended without ${pattern}:\n${this.#output}`);
      if ((await Promise.race([this.#changed.promise, late])) === 'late') {
        throw new Error(`${this.#name} did not say ${pattern} in ${milliseconds} ms:\n${this.#output}`);
      }
    }
  }

  /** Waits until it has ended by itself; throws if that takes too long. */
  async ended(milliseconds = 30_000): Promise<Exit> {
    const late = delay(milliseconds, 'late' as const, { ref: false });
    const exit = await Promise.race([this.exit, late]);
    if (exit === 'late')
      throw new Error(`${this.#name} still runs after ${milliseconds} ms:\n${this.#output}`);
    return exit;
  }

  async stop(): Promise<void> {
    if (!this.#exited) this.#process.kill('SIGKILL');
    await this.exit.catch(() => undefined);
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** Starts a program that is gone at the end of the test, however that ends. */
export function startChild(command: string, args: readonly string[], options?: ChildOptions): Child {
  const child = new Child(command, args, options);
  onTestFinished(() => child.stop());
  return child;
}

/** Skips the test, with its reason, where the program isn't there. */
export function needs(context: TestContext, command: string): void {
  if (spawnSync('which', [command]).status !== 0) context.skip(`${command} is not installed`);
}
