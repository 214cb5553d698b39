import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { ACCEPTABLE } from './acceptable.ts';

/** One case of Wycheproof, its bytes in hexadecimal. */
export type Case<Fields extends string> = Readonly<Record<Fields, string>> & {
  readonly tcId: number;
  readonly comment?: string;
  readonly result: 'valid' | 'invalid' | 'acceptable';
  readonly flags: readonly string[];
};

export type Group<Header, Fields extends string> = Header & { readonly tests: readonly Case<Fields>[] };

/** The groups of one file, or the test is skipped where the module with the vectors is not in Go's cache. */
export function groups<Header, Fields extends string>(
  context: TestContext,
  file: string,
): readonly Group<Header, Fields>[] {
  if (FOLDER === undefined) context.skip(ABSENT);
  const text = readFileSync(join(FOLDER, 'testvectors_v1', `${file}_test.json`), 'utf8');
  return (JSON.parse(text) as { testGroups: Group<Header, Fields>[] }).testGroups;
}

/** What must become of a case: `acceptable` ones are decided by the table. */
export function isExpected(one: Case<never>): boolean {
  if (one.result !== 'acceptable') return one.result === 'valid';
  const row = ACCEPTABLE.find(({ flag }) => one.flags.includes(flag));
  if (row === undefined) throw new Error(`no decision for an acceptable case with ${one.flags.join(', ')}`);
  return row.accepted;
}

export function fromHexText(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

const ABSENT =
  'the Wycheproof vectors are not in the module cache: run `go mod download` in test/conformance/wycheproof';

const FOLDER = folder();

function folder(): string | undefined {
  try {
    const found = execFileSync('go', ['list', '-m', '-f', '{{.Dir}}', 'github.com/c2sp/wycheproof'], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, GOPROXY: 'off', GOFLAGS: '-mod=readonly', GOTOOLCHAIN: 'local' },
    }).trim();
    return found !== '' && existsSync(found) ? found : undefined;
  } catch {
    return undefined;
  }
}
