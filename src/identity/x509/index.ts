/** The door of the readers: bytes that others wrote, into typed values or a problem. They never throw on input. */
export { parseCertificate } from './certificate.ts';
export { parseCertificateRequest } from './certificate-request.ts';
export { parseRevocationList } from './crl.ts';
export { parseOcspRequest } from './ocsp/request.ts';
export { parseOcspResponse } from './ocsp/response.ts';
export { decodePemBlocks } from './pem.ts';
