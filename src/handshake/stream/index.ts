/** The engine on sockets: the only part of src/handshake that knows of streams. */
export { acceptTls, connectTls, type StreamOptions, type TlsStream } from './tls-stream.ts';
