import { spawnSync } from 'node:child_process';
import { createWebRoots, parseReferenceHost, verifyHost } from '#identity/path';
import { type ChainCase, makeCase, type Random } from './chains.ts';
import { explain } from './rules.ts';

export interface Verdict {
  readonly ok: boolean;
  /** Ours: the reason's code and detail. Others: their own text. */
  readonly reason: string;
}

/** How often each rule explained a disagreement, and those that none explains. */
export interface Comparison {
  readonly agreed: number;
  readonly explained: ReadonlyMap<string, number>;
  readonly unexplained: readonly string[];
}

function ours({ root, chain, host, time }: ChainCase): Verdict {
  const name = parseReferenceHost(host);
  if (!name.ok) return { ok: false, reason: name.error };
  const result = verifyHost({ role: 'server', chain }, name.value, { roots: createWebRoots([root]), time });
  return result.ok
    ? { ok: true, reason: '' }
    : { ok: false, reason: `${result.error.reason.code}: ${result.error.detail}` };
}

/** Judges `count` chains by us and by the Go program `judge`, in lots that fit in memory. */
export function compare(count: number, random: Random, judge: string): Comparison {
  const explained = new Map<string, number>();
  const unexplained: string[] = [];
  let agreed = 0;
  for (let done = 0; done < count; done += LOT) {
    const cases = Array.from({ length: Math.min(LOT, count - done) }, () => makeCase(random));
    const theirs = goVerdicts(cases, judge);
    for (const [index, chain] of cases.entries()) {
      const [mine, go] = [ours(chain), theirs[index]];
      if (go === undefined) throw new Error('Go gave fewer verdicts than it was asked for');
      const why = mine.ok === go.ok ? undefined : explain(mine, go);
      if (mine.ok === go.ok) agreed += 1;
      else if (why !== undefined) explained.set(why, (explained.get(why) ?? 0) + 1);
      else
        unexplained.push(
          `${chain.changes.join(', ')} (${chain.host}): ours ${mine.ok || mine.reason}; Go ${go.ok || go.reason}`,
        );
    }
  }
  return { agreed, explained, unexplained };
}

const LOT = 2000;

function goVerdicts(cases: readonly ChainCase[], judge: string): readonly Verdict[] {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  const lines = cases.map(({ root, chain, host, time }) =>
    JSON.stringify({ Root: base64(root), Chain: chain.map(base64), Host: host, Time: time }),
  );
  const { stdout, status, stderr } = spawnSync(judge, {
    input: lines.join('\n'),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(stderr);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Verdict);
}
