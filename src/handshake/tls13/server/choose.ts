import { equal } from '#runtime';
import { type Selected, selectCredential } from '../../credentials/select.ts';
import { EXTENSIONS } from '../../extensions/placement.ts';
import { requestedRecordSize } from '../../extensions/record-size.ts';
import { TLS12, TLS13 } from '../../extensions/supported-versions.ts';
import { type GroupName, GROUPS } from '../../groups.ts';
import { bestWeakness, WEAK_GROUPS, WEAK_SUITES, WEAK_VERSIONS } from '../../legacy/weaknesses.ts';
import type { ClientHello } from '../../messages/client-hello.ts';
import { chooseGroup, chooseSuite } from '../../negotiate.ts';
import { fail } from '../../reasons.ts';
import type { Choice, ServerContext } from './context.ts';

/**
 * RFC 8446 4.1.1: picks version, suite, group, scheme and protocol from a ClientHello, or refuses it. Form first,
 * then what is negotiated, in the order in which a reader of the reason would look.
 */
export function choose(hello: ClientHello, context: ServerContext): Choice & { readonly retry: boolean } {
  const { config, parameters } = context;
  requireTls13(hello);
  const { groups, keyShares } = requireExtensions(hello);
  requireServerName(hello, context.serverName);

  const suite = chooseSuite(parameters.suites, hello.suites);
  if (suite === undefined) {
    const weak = bestWeakness(WEAK_SUITES, hello.suites);
    fail(weak === undefined ? 'no-common-suite' : `${weak}-offered`, `offered ${hexList(hello.suites)}`);
  }
  const shared = keyShares.map((entry) => entry.group);
  // RFC 8446 4.2.8: each share's group must be among supported_groups, in the same order.
  requireSameOrder(shared, groups);
  const group = chooseGroup(parameters.groups, groups, shared);
  if (group === undefined) {
    const weak = bestWeakness(WEAK_GROUPS, groups);
    fail(weak === undefined ? 'no-common-group' : `${weak}-offered`, `offered ${hexList(groups)}`);
  }
  // RFC 8446 9.2: who offers a key needs no signature; it is asked for one if that key is of no use.
  if (hello.offeredPsks === undefined) requireCredential(hello, context);
  const alpn = chooseAlpn(hello, parameters.alpn, config.alpnRequired ?? true);
  const recordSize = requestedRecordSize(hello.extensions);
  return { hello, suite, group: group.group, retry: group.retry, alpn, recordSize };
}

/** What a full handshake shows and signs with; it ends here if nothing suits the client. */
export function requireCredential(hello: ClientHello, { parameters }: ServerContext): Selected {
  const { schemes, authorities, serverName } = hello;
  if (parameters.credentials.length === 0) fail('unknown-psk-identity');
  if (schemes === undefined) fail('missing-extension', 'signature_algorithms in ClientHello');
  return selectCredential(parameters.credentials, { schemes, authorities, serverName });
}

/**
 * RFC 8446 4.1.2: a second ClientHello is the first with the demanded share; only key_share, early_data, cookie,
 * pre_shared_key and padding may differ.
 */
export function requireSameHello(first: ClientHello, second: ClientHello, group: GroupName): void {
  const changed =
    !equal(first.random, second.random) ||
    !equal(first.sessionId, second.sessionId) ||
    first.legacyVersion !== second.legacyVersion ||
    first.suites.join() !== second.suites.join();
  if (changed) fail('illegal-hello-retry', 'the second ClientHello differs from the first');
  for (const id of new Set([...first.extensions.ids(), ...second.extensions.ids()])) {
    if (MAY_CHANGE.has(id)) continue;
    const before = first.extensions.body(id);
    const after = second.extensions.body(id);
    if (before === undefined || after === undefined || !equal(before, after)) {
      fail('illegal-hello-retry', `extension ${id} of the second ClientHello differs from the first`);
    }
  }
  const shares = second.keyShares ?? [];
  // RFC 8446 4.2.8: the client replaces the shares by "a single KeyShareEntry" of the group that was asked for.
  if (shares.length !== 1 || shares[0]!.group !== GROUPS[group].id) {
    fail('illegal-hello-retry', 'the second ClientHello does not have the one key share that was asked for');
  }
  if (second.offersEarlyData) {
    fail('illegal-hello-retry', 'early_data in the second ClientHello');
  }
}

function requireTls13(hello: ClientHello): void {
  const versions = hello.versions ?? [Math.min(hello.legacyVersion, TLS12)];
  if (!versions.includes(TLS13)) {
    // RFC 7507 3: a client that could do better says so by this signal.
    if (hello.suites.includes(FALLBACK_SCSV)) fail('inappropriate-fallback', `offered ${hexList(versions)}`);
    const weak = bestWeakness(WEAK_VERSIONS, versions);
    fail(weak === undefined ? 'no-common-version' : `${weak}-offered`, `offered ${hexList(versions)}`);
  }
  // RFC 8446 4.1.2: "this vector MUST contain exactly one byte, set to zero", else the server aborts with
  // illegal_parameter. legacy_version is not looked at once supported_versions is there (4.2.1).
  if (hello.compressionMethods.length !== 1 || hello.compressionMethods[0] !== 0) {
    fail('compression-offered', `${hello.compressionMethods.length} methods`);
  }
}

/** RFC 7507 2: TLS_FALLBACK_SCSV. */
const FALLBACK_SCSV = 0x5600;

const MAY_CHANGE: ReadonlySet<number> = new Set([
  EXTENSIONS.key_share.id,
  EXTENSIONS.early_data.id,
  EXTENSIONS.cookie.id,
  EXTENSIONS.pre_shared_key.id,
  EXTENSIONS.padding.id,
]);

/** RFC 8446 9.2: without a PSK, all three must be there; and a PSK does not come alone. */
function requireExtensions(hello: ClientHello): RequiredExtensions {
  const { groups, schemes, keyShares } = hello;
  const offersPsk = hello.offeredPsks !== undefined;
  if (schemes === undefined && !offersPsk) fail('missing-extension', 'signature_algorithms in ClientHello');
  if (groups === undefined) fail('missing-extension', 'supported_groups in ClientHello');
  if (keyShares === undefined) fail('missing-extension', 'key_share in ClientHello');
  // RFC 8446 4.2.9: "If clients offer pre_shared_key without a psk_key_exchange_modes extension, servers MUST abort
  // the handshake", even those that would use no PSK.
  if (offersPsk && hello.pskModes === undefined) {
    fail('missing-extension', 'psk_key_exchange_modes in ClientHello');
  }
  return { groups, schemes, keyShares };
}

interface RequiredExtensions {
  readonly groups: readonly number[];
  readonly schemes: readonly number[] | undefined;
  readonly keyShares: NonNullable<ClientHello['keyShares']>;
}

function requireServerName(hello: ClientHello, expected: string | undefined): void {
  if (expected === undefined || hello.serverName === expected) return;
  fail('server-name-mismatch', `asked for ${hello.serverName ?? 'none'}, served here ${expected}`);
}

/** Each search goes on where the last one ended, so a long hello costs one pass and not one for each of its shares. */
function requireSameOrder(shared: readonly number[], groups: readonly number[]): void {
  let from = 0;
  for (const group of shared) {
    const index = groups.indexOf(group, from);
    if (index === -1) {
      fail('illegal-parameter', `a key share for group ${group} that supported_groups lacks or has earlier`);
    }
    from = index + 1;
  }
}

function chooseAlpn(hello: ClientHello, ours: readonly string[], required: boolean): string | undefined {
  if (ours.length === 0 || (hello.alpn === undefined && !required)) return undefined;
  const offered = hello.alpn ?? [];
  const protocol = ours.find((name) => offered.includes(name));
  // RFC 7301 3.2: "the server SHALL respond with a fatal no_application_protocol alert". A client that offers
  // nothing is refused too: it would be spoken to in a protocol that it did not ask for.
  if (protocol === undefined) fail('no-common-alpn', `offered ${JSON.stringify(offered.slice(0, 8))}`);
  return protocol;
}

const LISTED = 24;

function hexList(numbers: readonly number[]): string {
  const shown = numbers.slice(0, LISTED).map((value) => `0x${value.toString(16).padStart(4, '0')}`);
  return numbers.length > LISTED ? `${shown.join(' ')} and ${numbers.length - LISTED} more` : shown.join(' ');
}
