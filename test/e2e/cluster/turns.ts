import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { ClusterHandle } from './cluster.ts';

/**
 * Stories run side by side; one that stops what all of them use (the API server) runs that part alone. Locks of the
 * system (flock), since stories run in several processes: the kernel gives back what a killed one held.
 */
export class Turns {
  readonly #gate: string;
  readonly #room: string;
  readonly #mesh: string;

  constructor({ access }: ClusterHandle) {
    const name = basename(access.folder ?? access.name ?? '');
    this.#gate = join(tmpdir(), `${name}.gate`);
    this.#room = join(tmpdir(), `${name}.room`);
    this.#mesh = join(tmpdir(), `${name}.mesh`);
  }

  /** A story's turn, together with others'. */
  async take(): Promise<Turn> {
    let leave = await this.#enter('--shared');
    return {
      alone: async (work) => {
        await leave();
        leave = await this.#enter('--exclusive');
        try {
          return await work();
        } finally {
          await leave();
          leave = await this.#enter('--shared');
        }
      },
      withMesh: () => hold(this.#mesh, '--exclusive'),
      end: () => leave(),
    };
  }

  /** Whoever waits for the room holds the gate, so that those who come later don't go in before him. */
  async #enter(how: '--shared' | '--exclusive'): Promise<() => Promise<void>> {
    const leaveGate = await hold(this.#gate, '--exclusive');
    try {
      return await hold(this.#room, how);
    } finally {
      await leaveGate();
    }
  }
}

export interface Turn {
  /** Does something when no other story is at work; until it is done, none begins. */
  alone<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Waits until no other story has a mesh installed; until the function is called, none has one. Each webhook takes the pods of
   * all labelled namespaces, so that of two meshes the first gets the pods of both.
   */
  withMesh(): Promise<() => Promise<void>>;
  end(): Promise<void>;
}

/** Holds a lock until the function is called, or this process ends. */
async function hold(file: string, how: string): Promise<() => Promise<void>> {
  const holder: ChildProcess = spawn('flock', [how, file, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const closed = once(holder, 'close');
  if (holder.stdout === null) throw new Error('flock has no output');
  const [word] = (await Promise.race([once(holder.stdout, 'data'), closed])) as [unknown];
  if (!(word instanceof Buffer)) throw new Error(`flock ended: ${String(word)}`);
  return async () => {
    holder.stdin?.end();
    await closed;
  };
}
