import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Builds go/main.go and says where the program is; undefined where there is no Go. Needs no module but Go's own. */
export function buildJudge(): string | undefined {
  if (spawnSync('go', ['version']).status !== 0) return undefined;
  const program = join(mkdtempSync(join(tmpdir(), 'sallyport-judge-')), 'judge');
  const build = spawnSync('go', ['build', '-o', program, '.'], {
    cwd: fileURLToPath(new URL('go/', import.meta.url)),
    encoding: 'utf8',
    env: { ...process.env, GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local', GOPROXY: 'off' },
  });
  if (build.status !== 0) throw new Error(build.stderr);
  return program;
}
