import { createWebRoots, verifyWebChain } from '#identity/path';

/**
 * A chain, each certificate after its length in two octets; the last one is the root too. Whatever they are, there is a
 * verdict.
 */
export function fuzz(bytes: Uint8Array): void {
  const chain: Uint8Array[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const length = (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
    chain.push(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  const time = Date.UTC(2026, 5, 1);
  verifyWebChain({ role: 'server', chain }, { roots: createWebRoots(chain.slice(-1)), time });
}
