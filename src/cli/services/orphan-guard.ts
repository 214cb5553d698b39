import { spawn } from 'node:child_process';
import type { Scope } from '#runtime';

/** Knows which process groups live, to end them should we die without having ended them. */
export interface OrphanGuard {
  add(group: number): void;
  remove(group: number): void;
}

/**
 * A shell that reads from a pipe which services live. When the pipe closes, because we ended or were killed (SIGKILL,
 * out of memory, a closed terminal), it ends those that are left: else they would keep their ports and the next start
 * would fail. Where there is no `sh`, nothing is guarded.
 */
export function startOrphanGuard(scope: Scope): OrphanGuard {
  const shell = spawn('sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  const closed = new Promise<void>((resolve) => shell.once('close', () => resolve()));
  scope.defer(() => {
    shell.stdin.end();
    return shell.pid === undefined ? undefined : closed;
  });
  return {
    add: (group) => void shell.stdin.write(`+ ${group}\n`),
    remove: (group) => void shell.stdin.write(`- ${group}\n`),
  };
}

const SCRIPT = `
groups=
while read -r sign group; do
  left=
  for one in $groups; do [ "$one" = "$group" ] || left="$left $one"; done
  groups=$left
  [ "$sign" = + ] && groups="$groups $group"
done
[ -z "$groups" ] && exit 0
for one in $groups; do kill -s TERM -- "-$one"; done
sleep 2
for one in $groups; do kill -s KILL -- "-$one"; done
`;
