/**
 * ROCA (CVE-2017-15361): a library in smart cards made primes of the form k * M + (65537^a mod M), M a product of small
 * primes, so that modulo each of those primes the modulus is a power of 65537. Nemec, Sys, Svenda, Klinec, Matyas: "The
 * Return of Coppersmith's Attack", CCS 2017, section 2.3; they put the chance that another key looks so below 2^-27.
 */
export function isRoca(modulus: bigint): boolean {
  const rest = modulus % PRODUCT;
  return FINGERPRINTS.every(({ prime, powers }) => powers.has(Number(rest % BigInt(prime))));
}

const GENERATOR = 65_537;
/** The primes of which M is made for keys of 512 to 960 bits; M of longer keys has all of these too. */
const PRIMES = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107,
  109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];
const PRODUCT = PRIMES.reduce((product, prime) => product * BigInt(prime), 1n);
const FINGERPRINTS = PRIMES.map((prime) => ({ prime, powers: powersModulo(prime) }));

function powersModulo(prime: number): ReadonlySet<number> {
  const powers = new Set<number>();
  for (let power = 1; !powers.has(power); power = (power * GENERATOR) % prime) powers.add(power);
  return powers;
}
