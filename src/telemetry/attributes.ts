import {
  ATTR_CLIENT_ADDRESS,
  ATTR_CLIENT_PORT,
  ATTR_ERROR_TYPE,
  ATTR_NETWORK_PEER_ADDRESS,
  ATTR_NETWORK_PEER_PORT,
  ATTR_NETWORK_TRANSPORT,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
} from '@opentelemetry/semantic-conventions';

/**
 * Names on spans. `tls.*` are of OpenTelemetry's registry at status development, so they are written out here as its
 * README advises, instead of imported from the entry point that may change in any release.
 */
export const ATTRIBUTES = {
  clientAddress: ATTR_CLIENT_ADDRESS,
  clientPort: ATTR_CLIENT_PORT,
  serverAddress: ATTR_SERVER_ADDRESS,
  serverPort: ATTR_SERVER_PORT,
  peerAddress: ATTR_NETWORK_PEER_ADDRESS,
  peerPort: ATTR_NETWORK_PEER_PORT,
  transport: ATTR_NETWORK_TRANSPORT,
  errorType: ATTR_ERROR_TYPE,

  protocol: 'tls.protocol.name',
  version: 'tls.protocol.version',
  suite: 'tls.cipher',
  group: 'tls.curve',
  alpn: 'tls.next_protocol',
  established: 'tls.established',
  resumed: 'tls.resumed',
  clientNotAfter: 'tls.client.not_after',
  serverNotAfter: 'tls.server.not_after',

  service: 'sallyport.service',
  localIdentity: 'sallyport.local.identity',
  peerIdentity: 'sallyport.peer.identity',
  peerSerial: 'sallyport.peer.serial',
  destination: 'sallyport.destination',
  serverName: 'sallyport.tls.server_name',
  scheme: 'sallyport.tls.signature_scheme',
  helloRetry: 'sallyport.tls.hello_retry',
  handshakeMs: 'sallyport.tls.handshake_ms',
  result: 'sallyport.result',
  policy: 'sallyport.policy',
  blame: 'sallyport.reason.blame',
  rfc: 'sallyport.reason.rfc',
  say: 'sallyport.reason.say',
  next: 'sallyport.reason.next',
  detail: 'sallyport.reason.detail',
  alert: 'sallyport.alert.name',
  alertDescription: 'sallyport.alert.description',
  alertDirection: 'sallyport.alert.direction',
  untrusted: 'sallyport.trace.untrusted',
  link: 'sallyport.trace.link',
  messageDirection: 'sallyport.message.direction',
  messageLength: 'sallyport.message.length',
} as const;
