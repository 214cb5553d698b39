import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { serviceAccountId } from '#identity';
import { evaluate } from './evaluate.ts';
import { LIMITS } from './limits.ts';
import { POLICY_REASONS } from './reasons.ts';
import { TRUST_DOMAIN } from './testing/arbitraries.ts';
import { problemsOf, setOf } from './testing/sets.ts';

const PAGE = readFileSync(new URL('../../docs/policy.md', import.meta.url), 'utf8');
const FILE = 'policies/orders.yaml';

/** The fenced blocks of the page whose first line says `info`. */
function blocks(info: string): readonly string[] {
  return PAGE.split('\n```')
    .filter((part) => part.startsWith(`${info}\n`))
    .map((part) => `${part.slice(info.length + 1)}\n`);
}

describe('docs/policy.md', () => {
  it('has examples that are good policies', () => {
    const examples = blocks('yaml');
    expect(examples.length).toBeGreaterThanOrEqual(8);
    for (const example of examples) expect(problemsOf(example)).toEqual([]);
    // Together too: no two have one name.
    expect(setOf(examples.join('---\n')).documents.length).toBeGreaterThan(examples.length);
  });

  it('shows what is really said of a refused file', () => {
    const [refused = ''] = blocks('yaml refused');
    const said = problemsOf(refused, FILE);
    expect(said.length).toBe(5);
    expect(blocks('text').at(-1)).toBe(`${said.join('\n')}\n`);
  });

  it('shows what is really said of a denial, and what to paste', () => {
    const workload = { namespace: 'shop', serviceAccount: 'orders', name: 'orders-1', labels: {} };
    const peer = serviceAccountId(TRUST_DOMAIN, 'shop', 'payments');
    const set = setOf(blocks('yaml')[0] ?? '', undefined, FILE);
    const { explanation, edit } = evaluate(set, { peer, address: '127.0.0.1', port: 8080, workload });
    expect(blocks('text').slice(0, 2)).toEqual([`${explanation}\n`, edit?.snippet]);
  });

  it('tells the bounds as they are', () => {
    const bounds = PAGE.slice(PAGE.indexOf('| | at most |'), PAGE.indexOf('## Reasons'));
    const told = [...bounds.matchAll(/\d[\d,]*/g)].map(([number]) => Number(number.replaceAll(',', '')));
    expect(told).toEqual([
      LIMITS.fileBytes / 1024,
      LIMITS.documentsPerFile,
      LIMITS.tokensPerFile,
      LIMITS.totalBytes / 1024 ** 2,
      LIMITS.files,
      LIMITS.documents,
      LIMITS.valuesPerFile,
      LIMITS.aliasesPerDocument,
      LIMITS.depth,
      LIMITS.rulesPerPolicy,
      LIMITS.valuesPerField,
      LIMITS.networksPerEntry,
    ]);
    expect(LIMITS.entriesPerRule).toBe(LIMITS.rulesPerPolicy);
  });

  it('lists every reason, and links to places that are there', () => {
    const rows = Object.values(POLICY_REASONS).map(({ code, say, alert }) => {
      return `| \`${code}\` | ${say} | ${alert === undefined ? '-' : `\`${alert}\``} |`;
    });
    expect(PAGE.endsWith(`|---|---|---|\n${rows.join('\n')}\n`)).toBe(true);
    const headings = [...PAGE.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^a-z0-9 ]/g, '')
        .replaceAll(' ', '-'),
    );
    const inPage = [...PAGE.matchAll(/\]\(#([a-z-]+)\)/g)].map(([, anchor]) => anchor);
    const inReasons = Object.values(POLICY_REASONS).flatMap(({ rfc }) =>
      rfc.startsWith('docs/') ? [rfc.split('#')[1]] : [],
    );
    for (const anchor of [...inPage, ...inReasons]) expect(headings).toContain(anchor);
  });
});
