/**
 * The program that BoringSSL's test runner could start for each case (ssl/test/PORTING.md of BoringSSL): exits 0 if the
 * case went as its flags ask, 89 if the engine does not do what they ask, and 1 with the reason on stderr otherwise.
 * `run.ts` plays the same cases in one process.
 */
import { playCase } from './case.ts';

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes('-is-handshaker-supported')) {
    console.log('No');
    return 0;
  }
  const { code, text } = await playCase(argv);
  if (text !== '') console.error(text);
  return code;
}
