import type { Negotiated } from './expectations.ts';
import type { Options } from './flags.ts';

/** SSL_early_data_reason_string of BoringSSL for what the engine tells of a handshake; its tests say `accept`. */
export function earlyDataReason(options: Options, { session, helloRetry }: Negotiated): string {
  if (session === undefined) return 'unknown';
  const { use, declined, earlyDeclined } = session;
  if (use.earlyData === 'accepted') return 'accept';
  if (!options.has('enable-early-data')) return 'disabled';
  if (!options.has('server') && helloRetry && use.earlyData === 'rejected') return 'hello_retry_request';
  if (use.kind === 'full') {
    if (declined === undefined && use.earlyData === 'none') return 'no_session_offered';
    return declined === 'other-alpn' ? 'alpn_mismatch' : 'session_not_resumed';
  }
  if (helloRetry) return 'hello_retry_request';
  if (earlyDeclined === 'stale') return 'ticket_age_skew';
  return earlyDeclined === 'server-declined' ? 'peer_declined' : 'unsupported_for_session';
}
