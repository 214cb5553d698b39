import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/temporary.ts';

const folder = temporaryFolder('peers');
let written = 0;

/** Writes a PEM text where a program can read it. */
export function pemFile(text: string): string {
  written += 1;
  const path = join(folder, `${written}.pem`);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}
