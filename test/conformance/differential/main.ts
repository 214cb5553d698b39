/** The long form: `node test/conformance/differential/main.ts [chains] [seed]`. Ends with 1 if a verdict is not explained. */
import { randomFrom } from './chains.ts';
import { compare } from './compare.ts';
import { buildJudge } from './go-judge.ts';

const [count = '100000', seed = '1'] = process.argv.slice(2);
const judge = buildJudge();
if (judge === undefined) throw new Error('go is not on this machine');
const { agreed, explained, unexplained } = compare(Number(count), randomFrom(Number(seed)), judge);
console.log(`${agreed} of ${count} chains judged alike`);
for (const [why, times] of explained) console.log(`${times}: ${why}`);
for (const line of unexplained.slice(0, 50)) console.log(`NOT EXPLAINED: ${line}`);
process.exitCode = unexplained.length === 0 ? 0 : 1;
