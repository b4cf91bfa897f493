import type { Endpoint } from '../contract.js';
import { StackError } from '../errors.js';
import { type Address, formatAddress, hashAddress, parseAddress, sameAddress } from './address.js';

const CACHE = 64;

/** Turns internal addresses into the text of the seam, remembering recent ones: making it costs a microsecond. */
export class EndpointText {
  readonly #addresses: (Address | undefined)[] = new Array(CACHE).fill(undefined);
  readonly #texts: string[] = new Array(CACHE).fill('');

  address(address: Address): string {
    const slot = hashAddress(address) & (CACHE - 1);
    const known = this.#addresses[slot];
    if (known !== undefined && sameAddress(known, address)) return this.#texts[slot];
    const text = formatAddress(address);
    this.#addresses[slot] = address.clone();
    this.#texts[slot] = text;
    return text;
  }

  endpoint(address: Address, port: number): Endpoint {
    return { address: this.address(address), port };
  }
}

/** @throws StackError `EINVAL` */
export function requireAddress(text: string): Address {
  const address = parseAddress(text);
  if (address === undefined) throw new StackError('EINVAL', `${JSON.stringify(text)} is not an IP address`);
  return address;
}

/** @throws StackError `EINVAL` */
export function requirePort(port: number, lowest = 0): number {
  if (!Number.isInteger(port) || port < lowest || port > 65_535) {
    throw new StackError('EINVAL', `${port} is not a port number`);
  }
  return port;
}

/** An address to bind to: none, or the unspecified one, for all. */
export function optionalAddress(text: string | undefined): Address | undefined {
  return text === undefined || text === '' ? undefined : requireAddress(text);
}
