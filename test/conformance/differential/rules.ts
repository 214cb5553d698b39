import type { Verdict } from './compare.ts';

interface Rule {
  readonly why: string;
  /** Our reason and detail, where we refuse, or a part of Go's text, where Go does. */
  readonly ours?: RegExp;
  readonly go?: string;
}

/** Where we and Go's crypto/x509 part, and why that is meant. A disagreement that no rule covers fails the test. */
const RULES: readonly Rule[] = [
  { why: 'the Baseline Requirements are held against certificates of the web', ours: /^web-rule-broken:/ },
  { why: 'a CA certificate is no server certificate (CABF-BR 7.1.2.7.8)', ours: /^leaf-is-a-ca:/ },
  { why: 'RFC 5280 4.2: extensions that a conforming CA never writes so', ours: /^extension-misused:/ },
  {
    why: 'a name that is none of its kind, or a wildcard that RFC 9525 6.3 does not know',
    ours: /^malformed-name:/,
  },
  {
    why: 'a leaf names its purpose (CABF-BR 7.1.2.7.10); Go takes none for any',
    ours: /^missing-extended-key-usage:/,
  },
  { why: 'P-521 (docs/adr/0005)', ours: /^unsupported-public-key:/ },
  { why: 'RSA below 2048 bits (CABF-BR 6.1.5)', ours: /^weak-public-key:/ },
  {
    why: 'DER and the fields of RFC 5280 4.1 (serial numbers above all) are read strictly',
    ours: /^malformed-certificate:/,
  },
  {
    why: 'RFC 5280 4.2.1.10: a name that is none of its kind cannot be held against constraints',
    ours: /^name-constraint-violated: .* is no name of kind "dns"/,
  },
  {
    why: 'an intermediate of its own issuer name without authorityKeyIdentifier counts as self-signed (RFC 5280 4.2.1.1)',
    ours: /^unknown-authority: .* its issuer CN=root \(key /,
  },
  { why: 'Go refuses a URI without a host though no CA constrains URIs', go: 'URI with empty host' },
  { why: 'Go refuses a URI with an address though no CA constrains URIs', go: 'URI with IP' },
];

export function explain(ours: Verdict, go: Verdict): string | undefined {
  const explains = ours.ok
    ? (rule: Rule) => rule.go !== undefined && go.reason.includes(rule.go)
    : (rule: Rule) => rule.ours?.test(ours.reason);
  return RULES.find(explains)?.why;
}
