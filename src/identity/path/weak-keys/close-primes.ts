/**
 * Whether the modulus falls to Fermat's way of factoring: its primes are so close that half their sum is found within a
 * few steps above the square root (CVE-2022-26320; Böck, "Fermat Factorization in the Wild", 2023). CABF-BR 6.1.1.3
 * wants 100 rounds to be tried.
 */
export function hasClosePrimes(modulus: bigint): boolean {
  let half = squareRoot(modulus);
  if (half * half < modulus) half += 1n;
  let rest = half * half - modulus;
  for (let round = 0; round < ROUNDS; round += 1) {
    if (isSquare(rest)) return true;
    rest += 2n * half + 1n;
    half += 1n;
  }
  return false;
}

const ROUNDS = 100;

/** Of a number modulo 2^10 and 3003, only so many can be squares: that spares almost every root. */
function isSquare(value: bigint): boolean {
  if (!SQUARES_BINARY.has(Number(value & 1023n)) || !SQUARES_ODD.has(Number(value % 3003n))) return false;
  const root = squareRoot(value);
  return root * root === value;
}

const SQUARES_BINARY = new Set(Array.from({ length: 1024 }, (_, index) => (index * index) % 1024));
const SQUARES_ODD = new Set(Array.from({ length: 3003 }, (_, index) => (index * index) % 3003));

/** The integer part, by Newton's steps from above. */
function squareRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt((value.toString(16).length * 4 + 1) >> 1);
  root += 1n;
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
