import * as z from 'zod';

const LONGEST_NAME = 253;
const LONGEST_PREFIX = 'p65535.';
const LONGEST = LONGEST_NAME - LONGEST_PREFIX.length;

/**
 * A trust domain that a mesh can use. SPIFFE ID 2.1 takes more: here it is also the end of every server name,
 * `p<port>.<trust domain>`, which is a DNS name (RFC 6066 3): labels of 1 to 63 characters (RFC 1035 2.3.4), 253 in all.
 */
export const trustDomain = z
  .string()
  .regex(
    /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/,
    'a trust domain is a name such as shop.example: words of 1 to 63 lower-case letters, digits, - and _, with dots between',
  )
  .max(
    LONGEST,
    `a trust domain has at most ${LONGEST} characters, since server names begin with ${LONGEST_PREFIX}`,
  );
