/** Docs/adr/0006: the container's name and the word in its arguments are what makes a pod meshed. */
export const SIDECAR = 'sallyport';
export const INIT = 'sallyport-init';
export const VOLUME = 'sallyport';
/** Where the volume is mounted: the token and the roots. */
export const FOLDER = '/var/run/secrets/sallyport';
/** Of labels and annotations that are ours. */
export const PREFIX = 'mesh.sallyport.dev/';
/** Of namespaces and pods: `enabled` or `disabled`. A pod's outweighs its namespace's. */
export const INJECT_LABEL = `${PREFIX}inject`;
/** An annotation of pods: which version added what is ours. */
export const INJECTED = `${PREFIX}injected`;

export const SIDECAR_UID = 1_337;
export const PORTS = {
  admin: 15_000,
  outbound: 15_001,
  inbound: 15_006,
  status: 15_020,
  verification: 15_021,
};

export function isReserved(port: number): boolean {
  return Object.values(PORTS).includes(port);
}
