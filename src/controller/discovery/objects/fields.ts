import { formatAddress, parseAddress, parseCidr } from '#policy';

/** Canonical, each once; what is no address is left out. */
export function addressesOf(texts: readonly (string | undefined)[]): readonly string[] {
  const found = texts.map(addressOf).filter((address) => address !== undefined);
  return [...new Set(found)];
}

export function addressOf(text: string | undefined): string | undefined {
  const words = text === undefined ? undefined : parseAddress(text);
  return words === undefined ? undefined : formatAddress(words);
}

/** Canonical; what is no network is left out. */
export function networksOf(texts: readonly (string | undefined)[]): readonly string[] {
  return texts.flatMap((text) => {
    const network = text === undefined ? undefined : parseCidr(text);
    return network?.ok === true ? [network.value.text] : [];
  });
}

/** Of a timestamp, which is text as it comes and a Date in the client's types. */
export function millisecondsOf(time: Date | string | undefined): number | undefined {
  const milliseconds = time === undefined ? Number.NaN : new Date(time).getTime();
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}
