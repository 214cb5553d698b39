import type { ConnectionFacts, Decision } from '#policy';
import type { DiscoveryRequest } from '#rpc';

type Report = NonNullable<DiscoveryRequest['report']>;
type WouldDeny = NonNullable<Report['wouldDeny']>[number] & { count: number };
type PlaintextSeen = NonNullable<Report['plaintext']>[number] & { passed: number; refused: number };

/** Rows of each kind in one report; what is more is counted together. */
const MOST_ROWS = 64;

/** What this sidecar decided, counted until it is told to the controller. What isn't told waits, in bounded room. */
export class Reports {
  #wouldDeny = new Map<string, WouldDeny>();
  #plaintext = new Map<string, PlaintextSeen>();

  count(decision: Decision, { address, peer, port }: ConnectionFacts): void {
    for (const { changes, outcome, policy, rule } of decision.shadow) {
      if (!changes || outcome !== 'would-deny') continue;
      const key = `${policy.kind} ${policy.namespace}/${policy.name}`;
      const of = { key, rule: rule === undefined ? 0 : rule + 1, port };
      const row = (caller: string): [string, WouldDeny] => [
        JSON.stringify([of, caller]),
        { ...of, caller, count: 0 },
      ];
      found(this.#wouldDeny, row(peer?.toString() ?? address), row('')).count += 1;
    }
    if (peer !== undefined) return;
    const row = (from: string): [string, PlaintextSeen] => [
      `${from} ${port}`,
      { address: from, port, passed: 0, refused: 0 },
    ];
    const seen = found(this.#plaintext, row(address), row(''));
    if (decision.allowed) seen.passed += 1;
    else seen.refused += 1;
  }

  /** What was not taken yet; undefined: nothing. */
  take(): Report | undefined {
    if (this.#wouldDeny.size + this.#plaintext.size === 0) return undefined;
    const report = { wouldDeny: [...this.#wouldDeny.values()], plaintext: [...this.#plaintext.values()] };
    this.#wouldDeny = new Map();
    this.#plaintext = new Map();
    return report;
  }
}

/** The row, or that of all others where there are too many; both at their bound, any. */
function found<Row>(rows: Map<string, Row>, one: [string, Row], others: [string, Row]): Row {
  const known = rows.get(one[0]);
  if (known !== undefined) return known;
  const [key, row] = rows.size < MOST_ROWS ? one : others;
  const other = rows.get(key);
  if (other !== undefined) return other;
  // As many again for the others of each port: ports are the callers' choice too.
  if (rows.size < 2 * MOST_ROWS) rows.set(key, row);
  return row;
}
