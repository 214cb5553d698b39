/** Cases whose expected result is not ours, each with why. `page.ts` prints them; a test holds them to the results. */
export const DIFFERENCES: Readonly<Record<string, string>> = {
  'rfc5280::nc::permitted-dns-match-noncritical':
    'Its twin `webpki::nc::permitted-dns-match-noncritical` expects the opposite of the same chain. CABF-BR 7.1.2.5.2 ' +
    'lets web CAs leave nameConstraints non-critical, and they are enforced either way; in a mesh they must be critical.',
  'rfc5280::ca-as-leaf':
    'A CA certificate in place of a leaf: RFC 5280 allows it, CABF-BR 7.1.2.7.8 forbids it (`webpki::ca-as-leaf` ' +
    'expects that), and so does X509-SVID 5.2.',
  'webpki::san::public-suffix-multi-label-wildcard-san':
    'Which suffixes are public only the Public Suffix List says. It changes weekly and is not shipped; `*.com`, a ' +
    'wildcard over a single label, is refused without it.',
  'webpki::san::public-suffix-private-namespace-wildcard-san': 'The same, of the private part of that list.',
};
