/** The names this world knows by itself, before anybody else is asked. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import dnsPacket, { type Answer, type RecordType } from 'dns-packet';
import ipaddr from 'ipaddr.js';
import { WincError } from '../../driver/protocol/errors.js';
import { networkAddress, type RouterAddresses } from './policy.js';

export interface DnsRecord {
  /** Without the final dot; `*.example.test` stands for every name below. Case does not matter. */
  readonly name: string;
  readonly type: RecordType;
  /** As the package dns-packet has it: an address, a name, a text, or an object for MX, SOA, SRV… */
  readonly data: unknown;
  /** Seconds, default 60. */
  readonly ttl?: number;
}

const DEFAULT_TTL = 60;
const RECORD_LIMIT = 65_536;
/** A chain of CNAMEs longer than this is a loop. */
const ALIAS_LIMIT = 8;

export const normalName = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/** The name under which an address is looked up backwards (RFC 1035 section 3.5, RFC 3596 section 2.5). */
export function reverseName(address: string): string {
  const parsed = ipaddr.parse(address);
  if (parsed.kind() === 'ipv4') return `${parsed.toByteArray().reverse().join('.')}.in-addr.arpa`;
  const digits = parsed.toByteArray().flatMap((byte) => [byte >> 4, byte & 15]);
  return `${digits
    .reverse()
    .map((digit) => digit.toString(16))
    .join('.')}.ip6.arpa`;
}

/** @throws WincError `WINC_ARGUMENT` if `address` is neither IPv4 nor IPv6 */
export function addressRecord(name: string, address: string): DnsRecord {
  if (!ipaddr.isValid(address) || (!address.includes(':') && !ipaddr.IPv4.isValidFourPartDecimal(address)))
    throw new WincError('WINC_ARGUMENT', `DNS: ${address} is no IP address`);
  return { name, type: address.includes(':') ? 'AAAA' : 'A', data: address };
}

/**
 * The record as it will be sent. Binary data (the digest of a DS) may be hexadecimal text.
 * @throws WincError `WINC_ARGUMENT` if the type is not known or the data does not fit it
 */
export function checkedRecord(record: DnsRecord): DnsRecord {
  const { name, type, ttl = DEFAULT_TTL } = record;
  let { data } = record;
  if (type === 'DS' && data !== null && typeof data === 'object' && 'digest' in data)
    data = {
      ...data,
      digest: typeof data.digest === 'string' ? Buffer.from(data.digest, 'hex') : data.digest,
    };
  try {
    const answer = { name, type, ttl, class: 'IN', data } as Answer;
    const [read] = dnsPacket.decode(dnsPacket.encode({ type: 'response', answers: [answer] })).answers ?? [];
    const isAddress = type === 'A' || type === 'AAAA';
    if (read.type === type && (!isAddress || addressRecord(name, String(data)).type === type))
      return { ...record, data };
  } catch {
    // said below
  }
  throw new WincError('WINC_ARGUMENT', `DNS: no ${type} record is made of ${JSON.stringify(record.data)}`);
}

export interface ZoneAnswer {
  /** The name exists, with whatever types. */
  readonly exists: boolean;
  readonly answers: readonly Answer[];
  /** Where a chain of aliases leaves the zone: somebody else must answer for that name. */
  readonly onwards?: string;
}

export class DnsZone {
  readonly #records = new Map<string, DnsRecord[]>();
  #count = 0;

  /** An address gets its reverse record too. @throws WincError `WINC_ARGUMENT`, see {@link checkedRecord} */
  add(unchecked: DnsRecord): void {
    const record = checkedRecord(unchecked);
    if (this.#count >= RECORD_LIMIT)
      throw new WincError('WINC_ARGUMENT', `at most ${RECORD_LIMIT} DNS records`);
    this.#put(normalName(record.name), record);
    if ((record.type === 'A' || record.type === 'AAAA') && !record.name.startsWith('*')) {
      const reverse = reverseName(String(record.data));
      if (!this.#records.has(reverse))
        this.#put(reverse, { ...record, name: reverse, type: 'PTR', data: normalName(record.name) });
    }
  }

  /** Every record of that name. */
  remove(name: string): void {
    const removed = this.#records.get(normalName(name));
    if (removed === undefined) return;
    this.#count -= removed.length;
    this.#records.delete(normalName(name));
  }

  /** Follows aliases inside the zone. The answers carry `name` as it was asked. */
  find(name: string, type: RecordType | 'ANY'): ZoneAnswer {
    const answers: Answer[] = [];
    let owner = name;
    for (let hop = 0; hop < ALIAS_LIMIT; hop++) {
      const records = this.#of(owner);
      if (records === undefined)
        return hop === 0 ? { exists: false, answers } : { exists: true, answers, onwards: owner };
      const wanted = records.filter((record) => type === 'ANY' || record.type === type);
      const alias = wanted.length === 0 ? records.find((record) => record.type === 'CNAME') : undefined;
      for (const { type, data, ttl = DEFAULT_TTL } of alias === undefined ? wanted : [alias])
        answers.push({ name: owner, type, data, ttl, class: 'IN' } as Answer);
      if (alias === undefined) break;
      owner = String(alias.data);
    }
    return { exists: true, answers };
  }

  /** Addresses of the hosts that `answers` name (RFC 1034 section 4.3.2 step 6). */
  extras(answers: readonly Answer[]): Answer[] {
    const names = new Set(answers.map(targetOf).filter((name) => name !== undefined));
    return [...names].flatMap((name) =>
      (['A', 'AAAA'] as const).flatMap((type) => [...this.find(name, type).answers]),
    );
  }

  #put(key: string, record: DnsRecord): void {
    const records = this.#records.get(key);
    if (records === undefined) this.#records.set(key, [record]);
    else records.push(record);
    this.#count++;
  }

  #of(name: string): DnsRecord[] | undefined {
    const key = normalName(name);
    const exact = this.#records.get(key);
    if (exact !== undefined) return exact;
    for (let dot = key.indexOf('.'); dot >= 0; dot = key.indexOf('.', dot + 1)) {
      const wildcard = this.#records.get(`*${key.slice(dot)}`);
      if (wildcard !== undefined) return wildcard;
    }
    return undefined;
  }
}

/** The host that a record points to, where clients want its address next. */
function targetOf(answer: Answer): string | undefined {
  if (answer.type === 'NS') return answer.data;
  if (answer.type === 'MX') return answer.data.exchange;
  return answer.type === 'SRV' ? answer.data.target : undefined;
}

/**
 * The host's own names: those of its hosts file, `localhost` (RFC 6761 section 6.3) and its host name. Loopback addresses
 * appear as the router's, where the simulated network finds the host.
 */
export function hostNames(router: RouterAddresses, hostsFile = '/etc/hosts'): DnsZone {
  const zone = new DnsZone();
  for (const address of [router.ipv4, router.ipv6])
    if (address !== undefined)
      for (const name of ['localhost', '*.localhost', hostname()]) zone.add(addressRecord(name, address));
  const known = new Set(['localhost', normalName(hostname())]);
  let text = '';
  try {
    text = readFileSync(hostsFile, 'utf8');
  } catch {
    // a host without hosts file knows localhost all the same
  }
  for (const line of text.split('\n')) {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (!ipaddr.isValid(address)) continue;
    for (const name of names)
      if (!known.has(normalName(name))) zone.add(addressRecord(name, networkAddress(address, router)));
  }
  return zone;
}
