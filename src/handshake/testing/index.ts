/** The door for tests: identities without X.509, for whoever needs a peer that the engine believes. */
export { credentialOf, FakeVerifier, type Identity, makeIdentity } from './credentials.ts';
