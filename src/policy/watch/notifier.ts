import { type FSWatcher, watch } from 'node:fs';
import type { Log } from '#runtime';
import type { WatchedDirectory } from './snapshot.ts';

/** Says that something may have changed. Only a hint that comes early: the poll finds what it misses. */
export interface Notifier {
  /** The directories that matter from now on. */
  follow(directories: readonly WatchedDirectory[]): void;
  close(): void;
}

/** Watches by the operating system. Where that isn't to be had (network file systems, no watches left), the poll is enough. */
export function systemNotifier(onChange: () => void, log: Log): Notifier {
  const watchers = new Map<string, { readonly identity: string; readonly watcher: FSWatcher }>();
  const drop = (path: string): void => {
    watchers.get(path)?.watcher.close();
    watchers.delete(path);
  };
  const arm = ({ path, identity }: WatchedDirectory): void => {
    try {
      const watcher = watch(path, { persistent: false }, onChange);
      watcher.on('error', (error) => {
        log.debug('watching a policy directory ended; polling goes on', { path, error: error.message });
        drop(path);
      });
      watchers.set(path, { identity, watcher });
    } catch (error) {
      log.debug('a policy directory cannot be watched; polling goes on', { path, error: String(error) });
    }
  };
  return {
    follow(directories) {
      const wanted = new Map(directories.map((directory) => [directory.path, directory]));
      for (const [path, { identity }] of watchers) if (wanted.get(path)?.identity !== identity) drop(path);
      for (const directory of wanted.values()) if (!watchers.has(directory.path)) arm(directory);
    },
    close() {
      for (const path of [...watchers.keys()]) drop(path);
    },
  };
}
