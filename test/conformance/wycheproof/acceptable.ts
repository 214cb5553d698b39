/** What Wycheproof calls acceptable and leaves to the user, by its flags: the first that a case has decides. */
export const ACCEPTABLE: readonly {
  readonly flag: string;
  readonly accepted: boolean;
  readonly why: string;
}[] = [
  {
    flag: 'ZeroSharedSecret',
    accepted: false,
    why: 'RFC 8446 7.4.2: an all-zero result of X25519 must end the handshake.',
  },
  {
    flag: 'CompressedPublic',
    accepted: false,
    why: 'RFC 8446 4.2.8.2: only the uncompressed form of points is for TLS 1.3.',
  },
  {
    flag: 'MissingNull',
    accepted: false,
    why: 'RFC 8017 9.2: a DigestInfo has NULL parameters; one form is enough.',
  },
  { flag: 'Twist', accepted: true, why: 'RFC 7748 5: X25519 takes every u-coordinate.' },
  { flag: 'NonCanonicalPublic', accepted: true, why: 'RFC 7748 5: non-canonical values are to be accepted.' },
  { flag: 'SpecialPublicKey', accepted: true, why: 'RFC 7748 5: X25519 takes every u-coordinate.' },
];
