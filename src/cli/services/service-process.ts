import { type ChildProcess, spawn } from 'node:child_process';
import {
  Backoff,
  type BackoffConfig,
  type Clock,
  type ReadableWatch,
  type Scope,
  sleep,
  Watch,
} from '#runtime';
import { LineSplitter } from './lines.ts';
import type { OrphanGuard } from './orphan-guard.ts';
import { portAnswers } from './port.ts';

/** Where a service is in its life. `detail` is a sentence for people. */
export interface ServiceState {
  readonly phase: 'starting' | 'ready' | 'restarting' | 'stopped';
  readonly pid: number | undefined;
  /** How often it was started again after it ended by itself. */
  readonly restarts: number;
  readonly detail: string | undefined;
}

export interface ServiceProcessConfig {
  readonly name: string;
  /** Program and arguments, no shell. Undefined: the service is somebody else's; only its port is watched. */
  readonly command: readonly string[] | undefined;
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly port: number;
  readonly clock: Clock;
  /** Returns a number in [0, 1). */
  readonly random: () => number;
  /** Takes each line that the service prints. */
  readonly output: (line: string, stream: 'stdout' | 'stderr') => void;
  /** How long a service may take from SIGTERM to its end before SIGKILL. */
  readonly graceMilliseconds: number;
  /** After this long without an answer on the port the state says so; waiting goes on. */
  readonly slowStartMilliseconds: number;
  readonly restart?: BackoffConfig;
  readonly guard?: OrphanGuard;
}

/** Runs one service: starts it, waits for its port, starts it again when it ends, ends it with its scope. */
export class ServiceProcess {
  readonly #config: ServiceProcessConfig;
  readonly #state = new Watch<ServiceState>({
    phase: 'starting',
    pid: undefined,
    restarts: 0,
    detail: undefined,
  });
  readonly #lastLines: string[] = [];

  constructor(config: ServiceProcessConfig) {
    this.#config = config;
  }

  get name(): string {
    return this.#config.name;
  }

  get state(): ReadableWatch<ServiceState> {
    return this.#state;
  }

  /** The newest lines that the service printed, for showing why it ended. */
  get lastLines(): readonly string[] {
    return this.#lastLines;
  }

  run(scope: Scope): void {
    scope.run((signal) =>
      this.#config.command === undefined ? this.#watchPort(signal) : this.#keep(signal),
    );
  }

  async #keep(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff(this.#config.restart ?? RESTART, this.#config.random);
    try {
      while (!signal.aborted) {
        await this.#whilePortIsTaken(signal);
        const startedAt = this.#config.clock.monotonic();
        const end = await this.#once(signal);
        if (signal.aborted) break;
        if (this.#config.clock.monotonic() - startedAt > STEADY_MILLISECONDS) backoff.reset();
        const wait = backoff.next();
        const restarts = this.#state.value.restarts + 1;
        const detail = `${end}; restart ${restarts} after ${(wait / 1000).toFixed(1)} s`;
        this.#state.set({ phase: 'restarting', pid: undefined, restarts, detail });
        await sleep(this.#config.clock, wait, signal);
      }
    } finally {
      this.#set({ phase: 'stopped', pid: undefined, detail: undefined });
    }
  }

  /** Another program's port would pass for ours: readiness would be a lie and requests would go astray. */
  async #whilePortIsTaken(signal: AbortSignal): Promise<void> {
    const { port, name, clock } = this.#config;
    while (await portAnswers(port, clock, signal)) {
      const detail = `port ${port} is in use by another program: end it, give ${name} another port, or leave out its command to use what runs there`;
      this.#set({ phase: 'restarting', pid: undefined, detail });
      await sleep(clock, POLL_MILLISECONDS * 10, signal);
    }
  }

  /** One life of the process. Resolves with how it ended. */
  async #once(signal: AbortSignal): Promise<string> {
    const [program = '', ...args] = this.#config.command ?? [];
    const child = spawn(program === 'node' ? process.execPath : program, args, {
      cwd: this.#config.directory,
      env: { ...this.#config.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // Its own process group: Ctrl-C in the terminal reaches us alone, and the sidecars drain before services end.
      detached: true,
    });
    if (child.pid !== undefined) this.#config.guard?.add(child.pid);
    // How it ended the last time stays to be read until it is ready.
    this.#set({ phase: 'starting', pid: child.pid });
    const ended = endOf(child, program);
    const life = new AbortController();
    const follow = [this.#collect(child), this.#awaitPort(AbortSignal.any([signal, life.signal]))];
    const stop = (): void => this.#terminate(child, ended);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const how = await ended;
    signal.removeEventListener('abort', stop);
    life.abort();
    await Promise.all([...follow, this.#endGroup(child)]);
    if (child.pid !== undefined) this.#config.guard?.remove(child.pid);
    return `${this.name} ${how}`;
  }

  async #awaitPort(signal: AbortSignal): Promise<void> {
    const { clock, port, slowStartMilliseconds, name } = this.#config;
    const startedAt = clock.monotonic();
    let slow = false;
    try {
      while (!(await portAnswers(port, clock, signal))) {
        await sleep(clock, POLL_MILLISECONDS, signal);
        const waited = clock.monotonic() - startedAt;
        if (waited < slowStartMilliseconds || slow) continue;
        slow = true;
        const detail = `${name} has not answered on 127.0.0.1:${port} for ${Math.round(waited / 1000)} s: does it listen there?`;
        this.#set({ detail });
      }
      if (!signal.aborted) this.#set({ phase: 'ready', detail: undefined });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** A service that runs elsewhere: says whether its port answers. */
  async #watchPort(signal: AbortSignal): Promise<void> {
    const { clock, port } = this.#config;
    while (!signal.aborted) {
      const answers = await portAnswers(port, clock, signal);
      const phase = answers ? 'ready' : 'starting';
      const detail = answers ? undefined : `nothing answers on 127.0.0.1:${port} yet`;
      if (phase !== this.#state.value.phase || detail !== this.#state.value.detail)
        this.#set({ phase, detail });
      // Each look is a connection, which somebody else's service may log: rarely, once it has answered.
      await sleep(clock, POLL_MILLISECONDS * (answers ? 200 : 10), signal);
    }
  }

  #collect(child: ChildProcess): Promise<void> {
    const streams = (['stdout', 'stderr'] as const).map((which) => {
      const lines = new LineSplitter((line) => this.#line(line, which));
      const stream = child[which];
      return new Promise<void>((resolve) => {
        if (stream === null) return resolve();
        stream.on('data', (bytes: Buffer) => lines.push(bytes));
        stream.on('error', () => stream.destroy());
        stream.once('close', () => {
          lines.end();
          resolve();
        });
        // A grandchild that holds the pipe open must not hold us.
        child.once('exit', () => {
          this.#config.clock.after(LAST_WORDS_MILLISECONDS, () => stream.destroy());
        });
      });
    });
    return Promise.all(streams).then(() => undefined);
  }

  #line(line: string, stream: 'stdout' | 'stderr'): void {
    this.#lastLines.push(line);
    if (this.#lastLines.length > LAST_LINES) this.#lastLines.shift();
    this.#config.output(line, stream);
  }

  #terminate(child: ChildProcess, ended: Promise<string>): void {
    killGroup(child, 'SIGTERM');
    const cancel = this.#config.clock.after(this.#config.graceMilliseconds, () =>
      killGroup(child, 'SIGKILL'),
    );
    void ended.then(cancel);
  }

  /** What the process started itself (npm and shells do) may outlive it and would keep the port. */
  async #endGroup(child: ChildProcess): Promise<void> {
    const { clock, graceMilliseconds } = this.#config;
    // Ending takes its time also when our own scope is closing: that is when it matters.
    const never = new AbortController().signal;
    const deadline = clock.monotonic() + graceMilliseconds;
    if (killGroup(child, 'SIGTERM')) {
      while (killGroup(child, 0) && clock.monotonic() < deadline)
        await sleep(clock, POLL_MILLISECONDS, never);
    }
    killGroup(child, 'SIGKILL');
  }

  #set(change: Partial<ServiceState>): void {
    this.#state.set({ ...this.#state.value, ...change });
  }
}

const RESTART: BackoffConfig = { firstMilliseconds: 200, longestMilliseconds: 10_000, jitter: 0.2 };
/** Who lived this long ended for a new reason: the wait starts small again. */
const STEADY_MILLISECONDS = 10_000;
const POLL_MILLISECONDS = 50;
const LAST_LINES = 20;
const LAST_WORDS_MILLISECONDS = 200;

/** Resolves, and never rejects, when the process is gone or could not be started. */
function endOf(child: ChildProcess, program: string): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return;
      const why = error.code === 'ENOENT' ? `no program ${program} was found` : error.message;
      resolve(`could not be started: ${why}`);
    });
    child.once('exit', (code, signal) => {
      resolve(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`);
    });
  });
}

/**
 * The child leads its own group (`detached`), so this reaches what it started too, and nobody else. False when nobody
 * of the group is left; signal 0 only asks.
 */
function killGroup(child: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  if (child.pid === undefined) return false;
  try {
    return process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    return false;
  }
}
