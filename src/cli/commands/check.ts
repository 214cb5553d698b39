import { checkBefore } from '../check/before-install.ts';
import { checkMesh } from '../check/checks.ts';
import { gatherFacts } from '../check/facts.ts';
import type { Finding } from '../check/finding.ts';
import { Cluster, type ClusterChoice } from '../cluster/cluster.ts';
import { UsageError } from '../usage-error.ts';
import { count } from '../view/format.ts';
import { type Colour, type Paint, paintFor } from '../view/paint.ts';
import { printableAll, printableJson } from '../view/printable.ts';

export interface CheckOptions {
  readonly choice: ClusterChoice;
  /** Whether one can be installed, instead of how it is. */
  readonly pre: boolean;
  readonly json: boolean;
  readonly env: NodeJS.ProcessEnv;
}

/** `sallyport check`: 0 when nothing failed (there may be warnings), 1 otherwise. */
export async function check({ choice, pre, json, env }: CheckOptions): Promise<number> {
  const findings = await look(choice, pre);
  const failures = findings.filter(({ result }) => result === 'failed').length;
  const warnings = findings.filter(({ result }) => result === 'warning').length;
  if (json) {
    process.stdout.write(`${printableJson({ ok: failures === 0, findings }, 2)}\n`);
    return failures === 0 ? 0 : 1;
  }
  const paint = paintFor(process.stdout, env);
  const lines = printableAll(findings).flatMap((finding) => shown(finding, paint));
  const sum = `${count(findings.length, 'check')}, ${failures} failed, ${warnings} with a warning.`;
  process.stdout.write(`${[...lines, sum].join('\n')}\n`);
  return failures === 0 ? 0 : 1;
}

/** A cluster that can't be looked at is a finding too: whoever reads the JSON shall not have to read sentences. */
async function look(choice: ClusterChoice, pre: boolean): Promise<readonly Finding[]> {
  try {
    const cluster = new Cluster(choice);
    const facts = await gatherFacts(cluster);
    return pre ? await checkBefore(cluster, facts) : checkMesh(facts);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return [{ check: 'api-server', result: 'failed', say: error.message, next: 'Then check again.' }];
  }
}

const COLOURS: Readonly<Record<Finding['result'], Colour>> = {
  ok: 'green',
  warning: 'yellow',
  failed: 'red',
};

function shown({ check, result, say, next }: Finding, paint: Paint): string[] {
  const word = paint.colour(COLOURS[result], result.padEnd(LONGEST_RESULT));
  const line = `${word}  ${check.padEnd(LONGEST_CHECK)}  ${say}`;
  return next === undefined ? [line] : [line, `${' '.repeat(LONGEST_RESULT + LONGEST_CHECK + 4)}${next}`];
}

const LONGEST_RESULT = 7;
const LONGEST_CHECK = 16;
