import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** What a cluster of the bare provider left on the machine, or still has there. Empty: nothing. */
export function leftovers(folder: string): string[] {
  const processes = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(folder));
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(folder));
  const cgroups = globSync(`/sys/fs/cgroup/{,*/}${basename(folder)}`);
  return [...processes, ...mounts, ...cgroups, ...(existsSync(folder) ? [folder] : [])];
}
