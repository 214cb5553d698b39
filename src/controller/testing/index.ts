/** Fakes of what the controller lives on. */
export { TestApiServer, type TestObject } from './api-server.ts';
