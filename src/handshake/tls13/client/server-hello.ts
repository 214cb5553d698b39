import { decodeServerShare } from '../../extensions/key-share.ts';
import { GROUPS } from '../../groups.ts';
import type { Received } from '../../messages/message.ts';
import type { Port } from '../../port.ts';
import { fail } from '../../reasons.ts';
import { type SuiteName, SUITES } from '../../suites.ts';
import { EarlyStage } from '../key-schedule.ts';
import type { ClientContext, SentHello } from './context.ts';
import { ExpectEncryptedExtensions } from './expect-encrypted-extensions.ts';

/** RFC 8446 4.1.3: takes the server's share, derives the handshake keys and starts to use them. */
export function acceptServerHello(
  context: ClientContext,
  sent: SentHello,
  message: Received<'server_hello'>,
  choice: { readonly suite: SuiteName; readonly helloRetry: boolean },
  port: Port,
): ExpectEncryptedExtensions {
  const { extensions, random } = message.body;
  extensions.requireSolicited(sent.offered, 'SH');
  const body = extensions.get('key_share');
  if (body === undefined) fail('missing-extension', 'key_share in ServerHello');
  const share = decodeServerShare(body);
  const ours = sent.keyShares.find(({ group }) => GROUPS[group].id === share.group);
  if (ours === undefined) fail('unoffered-choice', `a key share for group ${share.group}`);
  const { group } = ours;
  port.emit({ type: 'server-hello', random, suite: choice.suite, group, helloRetry: choice.helloRetry });

  const secret = port.measure('key-exchange', () => ours.finish(share.keyExchange));
  if (!secret.ok) fail(secret.error, group);
  port.transcript.add(message.raw);

  const suite = SUITES[choice.suite];
  const schedule = new EarlyStage(port.crypto, suite).intoHandshake(secret.value);
  const hash = port.transcript.value();
  const clientSecret = schedule.clientTraffic(hash);
  const serverSecret = schedule.serverTraffic(hash);
  port.logSecret('CLIENT_HANDSHAKE_TRAFFIC_SECRET', context.random, clientSecret);
  port.logSecret('SERVER_HANDSHAKE_TRAFFIC_SECRET', context.random, serverSecret);
  port.wipeAtEnd(schedule, clientSecret, serverSecret);
  port.changeReadKeys(suite, serverSecret, port.requireAligned());
  // RFC 8446 D.4: the dummy record stands before what is first sent under new keys.
  port.sendChangeCipherSpec();
  port.changeWriteKeys(suite, clientSecret);
  const keys = { suite, schedule, clientSecret, serverSecret };
  return new ExpectEncryptedExtensions(context, sent, keys);
}
