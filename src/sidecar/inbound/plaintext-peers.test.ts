import { expect, test } from 'vitest';
import { PlaintextPeers } from './plaintext-peers.ts';

test('counts by address, and addresses beyond the bound together', () => {
  const peers = new PlaintextPeers(2);
  peers.count('10.0.0.1', true);
  peers.count('10.0.0.1', false);
  for (let last = 2; last < 100; last += 1) peers.count(`10.0.0.${last}`, true);
  expect(peers.list()).toEqual([
    { address: '10.0.0.1', passed: 1, refused: 1 },
    { address: '10.0.0.2', passed: 1, refused: 0 },
    { address: 'others', passed: 97, refused: 0 },
  ]);
});
