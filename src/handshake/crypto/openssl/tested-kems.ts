import type { Kem, KemName } from '../kem.ts';
import { NODE_KEMS } from '../node/kems.ts';
import { kemHolds } from './self-test.ts';

/**
 * Mechanisms of libcrypto, each compared with node:crypto's before its first use. What differs stays with Node and is
 * reported.
 */
export function testedKems(
  kems: Readonly<Record<KemName, Kem>>,
  report: (difference: string) => void,
): Readonly<Record<KemName, Kem>> {
  const entries = Object.entries(kems).map(([name, kem]) => [name, tested(name as KemName, kem, report)]);
  return Object.fromEntries(entries) as Record<KemName, Kem>;
}

function tested(name: KemName, kem: Kem, report: (difference: string) => void): Kem {
  let chosen: Kem | undefined;
  const choose = (): Kem => {
    if (chosen !== undefined) return chosen;
    const why = whyNot(name, kem);
    if (why !== undefined) report(why);
    chosen = why === undefined ? kem : NODE_KEMS[name];
    return chosen;
  };
  return {
    generate: () => choose().generate(),
    keyPair: (privateKey) => choose().keyPair(privateKey),
    encapsulate: (publicKey) => choose().encapsulate(publicKey),
  };
}

function whyNot(name: KemName, kem: Kem): string | undefined {
  try {
    return kemHolds(name, NODE_KEMS[name], kem) ? undefined : name;
  } catch (error) {
    return `${name}: ${error instanceof Error ? error.message : String(error)}`;
  }
}
