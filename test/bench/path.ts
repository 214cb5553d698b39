/** What a verdict costs: `npm run bench:path`. Medians over rounds; the machine should be quiet. */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { createWebRoots, verifyWebChain, type WebInput } from '#identity/path';
import { makeIssuer, makeLeaf } from '#identity/testing';
import { runStoredSuite } from '../conformance/limbo/run.ts';

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '200' } } });
const now = Date.now();
const names = [{ dns: 'www.example.com' }];
const extendedKeyUsage = ['1.3.6.1.5.5.7.3.1'];

const rows: (readonly [string, number])[] = [];
for (const keyType of ['ec-p256', 'ec-p384', 'ed25519', 'rsa'] as const) {
  const root = makeIssuer({ commonName: 'root', now, keyType });
  const intermediate = makeIssuer({ commonName: 'intermediate', now, keyType }, root);
  const input: WebInput = { roots: createWebRoots([root.der]), time: now };
  // A chain of its own each time: nothing that a certificate remembers is left from the round before.
  const chains = Array.from(
    { length: Number(options.rounds) },
    () => makeLeaf({ now, names, extendedKeyUsage }, intermediate, [intermediate.der]).chain,
  );
  const times = chains.map((chain) => {
    const start = performance.now();
    const verdict = verifyWebChain({ role: 'server', chain }, input);
    const spent = performance.now() - start;
    if (!verdict.ok) throw new Error(verdict.error.detail);
    return spent;
  });
  rows.push([`root, intermediate, leaf under ${keyType}, cold: median ms`, median(times)]);
}
const cases = runStoredSuite().map(({ milliseconds }) => milliseconds);
rows.push(
  ['x509-limbo, a case: median ms', median(cases)],
  ['x509-limbo, the slowest case: ms', Math.max(...cases)],
);

const table = new Table({ head: ['what', 'time'] });
for (const [what, time] of rows) table.push([what, time.toFixed(3)]);
console.log(table.toString());

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
