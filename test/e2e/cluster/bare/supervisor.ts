import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const UP_MILLISECONDS = 240_000;
const SHOWN_LINES = 15;
const scripts = fileURLToPath(new URL('.', import.meta.url));

/** The process that keeps a cluster: it ends the cluster when this process ends, in whatever way. */
export class Supervisor {
  readonly #folder: string;
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  #running = true;

  /** @param folder the cluster's, with its configuration; it is removed when the cluster ends */
  constructor(folder: string, environment: Readonly<Record<string, string>>) {
    this.#folder = folder;
    this.#process = spawn('bash', [join(scripts, 'supervise.sh'), folder], {
      env: { ...process.env, ...environment, RUN: folder },
      // Standard input is what ties its life to ours. A Ctrl-C is for us: we close the pipe.
      stdio: ['pipe', 'ignore', 'inherit'],
      detached: true,
    });
    writeFileSync(join(folder, 'supervisor'), String(this.#process.pid));
    this.#ended = new Promise<void>((resolve) => {
      this.#process.on('error', () => resolve()).on('close', () => resolve());
    }).then(() => {
      this.#running = false;
    });
  }

  /** The cluster's process 1, as this PID namespace counts. Known once it is ready. */
  get init(): string {
    return readFileSync(join(this.#folder, 'init'), 'utf8').trim();
  }

  /** Waits until every node is ready. Throws with the ends of the logs if that fails or takes too long. */
  async ready(): Promise<void> {
    const end = Date.now() + UP_MILLISECONDS;
    while (!existsSync(join(this.#folder, 'up'))) {
      if (existsSync(join(this.#folder, 'failed'))) {
        throw new Error(`${readFileSync(join(this.#folder, 'failed'), 'utf8')}${this.#logs()}`);
      }
      if (!this.#running) throw new Error('the cluster ended before it was up');
      if (Date.now() > end)
        throw new Error(`the cluster is not up after ${UP_MILLISECONDS} ms${this.#logs()}`);
      await delay(100);
    }
  }

  async end(): Promise<void> {
    this.#process.stdin?.end();
    await this.#ended;
  }

  #logs(): string {
    const folder = join(this.#folder, 'log');
    return readdirSync(folder)
      .map((name) => {
        const lines = readFileSync(join(folder, name), 'utf8').trimEnd().split('\n').slice(-SHOWN_LINES);
        return `\n== ${name}\n${lines.join('\n')}`;
      })
      .join('');
  }
}

/** Removes what clusters left whose supervisor was killed before it could. */
export function removeLeftovers(runs: string): void {
  for (const name of existsSync(runs) ? readdirSync(runs) : []) {
    const folder = join(runs, name);
    if (isSupervised(folder)) continue;
    spawnSync('bash', ['-c', '. "$0/cgroups.sh"; cgroups_remove "$1"', scripts, name], { stdio: 'ignore' });
    rmSync(folder, { recursive: true, force: true });
  }
}

function isSupervised(folder: string): boolean {
  try {
    const supervisor = readFileSync(join(folder, 'supervisor'), 'utf8');
    return readFileSync(`/proc/${supervisor}/cmdline`, 'utf8').includes('supervise.sh');
  } catch {
    return false;
  }
}
