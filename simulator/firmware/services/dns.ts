/** DNS: AT+DNSC, AT+DNSRESOLV. API reference, module DNS. */
import recordTypes from 'dns-packet/types.js';
import { formatIpv6, parseIpv6 } from '../../../driver/protocol/address.js';
import { RecordType } from '../../../driver/protocol/catalogue/dns.js';
import type { EventOf } from '../../../driver/protocol/catalogue/index.js';
import { StatusCode } from '../../../driver/protocol/catalogue/statuses.js';
import type { Board } from '../board.js';
import { single } from '../config-command.js';
import { type DnsRecord, rawData } from '../dns/message.js';
import type { Raised, Service } from '../service.js';
import { textOf } from '../values.js';

type DnsEvent = Omit<EventOf<'DNSRESOLV'>, 'kind'>;

/** Types that never name data of a host: pseudo types of the protocol, and those DNS has given up (IANA registry). */
const notSupported = (type: number): boolean =>
  (type >= 3 && type <= 4) ||
  (type >= 7 && type <= 10) ||
  [14, 30, 32, 38, 40, 41, 99].includes(type) ||
  (type >= 100 && type <= 103) ||
  (type >= 128 && type <= 254);

/** Records of these types are answered with those found along the way. */
const withAdditionals: ReadonlySet<number> = new Set([RecordType.NS, RecordType.MX, RecordType.SRV]);

/** RFC 4034, section 4.1.2. */
function typeBitMaps(names: readonly string[]): Uint8Array {
  const windows = new Map<number, Uint8Array>();
  for (const type of names.map((name) => recordTypes.toType(name))) {
    const bits = windows.get(type >> 8) ?? new Uint8Array(32);
    bits[(type & 0xff) >> 3] |= 0x80 >> (type & 7);
    windows.set(type >> 8, bits);
  }
  const parts = [...windows]
    .sort(([a], [b]) => a - b)
    .map(([window, bits]) => {
      const length = bits.findLastIndex((byte) => byte !== 0) + 1;
      return Uint8Array.of(window, length, ...bits.subarray(0, length));
    });
  return Buffer.concat(parts);
}

/** The event for one record; its elements depend on the record's type. */
function eventOf({ type, data }: DnsRecord, queryName: string): DnsEvent {
  const head = { type, queryName };
  // The shapes dns-packet documents for each type.
  // biome-ignore lint/suspicious/noExplicitAny: one union member per record type, selected by `type`
  const d = data as any;
  const name = 'DNSRESOLV';
  switch (type) {
    case RecordType.A:
      return { name, form: 'A_AAAA_RESPONSE', elements: { ...head, address: d } };
    case RecordType.AAAA:
      return {
        name,
        form: 'A_AAAA_RESPONSE',
        elements: { ...head, address: formatIpv6(parseIpv6(d) as Uint8Array) },
      };
    case RecordType.NS:
      return { name, form: 'NS_RESPONSE', elements: { ...head, nsdname: d } };
    case RecordType.CNAME:
      return { name, form: 'CNAME_RESPONSE', elements: { ...head, cname: d } };
    case RecordType.SOA: {
      const { mname, serial, refresh, retry, expire, minimum, rname } = d;
      return {
        name,
        form: 'SOA_RESPONSE',
        elements: { ...head, mname, serial, refresh, retry, expire, minimum, rname },
      };
    }
    case RecordType.PTR:
      return { name, form: 'PTR_RESPONSE', elements: { ...head, ptrdname: d } };
    case RecordType.MX:
      return {
        name,
        form: 'MX_RESPONSE',
        elements: { ...head, exchange: d.exchange, preference: d.preference },
      };
    case RecordType.TXT: {
      const txtData = (Array.isArray(d) ? d : [d]).map(textOf).join('');
      return { name, form: 'TXT_RESPONSE', elements: { ...head, txtData } };
    }
    case RecordType.SRV: {
      const { target, priority, weight, port } = d;
      return { name, form: 'SRV_RESPONSE', elements: { ...head, target, priority, weight, port } };
    }
    case RecordType.DS: {
      const { keyTag, algorithm, digestType, digest } = d;
      return { name, form: 'DS_RESPONSE', elements: { ...head, keyTag, algorithm, digestType, digest } };
    }
    case RecordType.RRSIG:
      return {
        name,
        form: 'RRSIG_RESPONSE',
        elements: {
          ...head,
          signerName: d.signersName,
          typeCovered: recordTypes.toType(d.typeCovered),
          algorithm: d.algorithm,
          labels: d.labels,
          origTtl: d.originalTTL,
          sigExpire: d.expiration,
          sigIncept: d.inception,
          keyTag: d.keyTag,
          signature: d.signature,
        },
      };
    case RecordType.NSEC:
      return {
        name,
        form: 'NSEC_RESPONSE',
        elements: { ...head, nextDomain: d.nextDomain, typeBitMaps: typeBitMaps(d.rrtypes) },
      };
    case RecordType.DNSKEY:
      return {
        name,
        form: 'DNSKEY_RESPONSE',
        elements: { ...head, flags: d.flags, protocol: 3, algorithm: d.algorithm, publicKey: d.key },
      };
    default:
      return { name, form: 'OTHER_RESPONSE', elements: { ...head, rdata: rawData(type, data) } };
  }
}

export function dns(board: Board): Service {
  const { resolver, network } = board;
  const DNSSEC_AWARE = 1;

  function report(asked: string, type: number, records: readonly DnsRecord[]): void {
    for (const record of records) {
      // What the asked name leads to is reported under the asked name.
      const found = record.type === type || record.type === RecordType.RRSIG;
      board.emit(eventOf(record, found ? asked : record.name) as Raised);
    }
  }

  function ask(name: string, type: number): void {
    resolver.resolve({ name, type }, (result) => {
      const aware = resolver.config.number('DNS_DNSSEC_MODE') >= DNSSEC_AWARE;
      const signatures = (record: DnsRecord): boolean => aware && record.type === RecordType.RRSIG;
      if ('reply' in result) {
        const { answers, additionals, authorities } = result.reply;
        if (result.failure === undefined) {
          report(
            name,
            type,
            answers.filter((record) => record.type === type || signatures(record)),
          );
          if (withAdditionals.has(type)) report(name, type, additionals);
        } else if (aware) {
          for (const record of authorities) board.emit(eventOf(record, record.name) as Raised);
        }
      }
      if (result.failure === undefined) return;
      board.emit({
        name: 'DNSERR',
        form: 'RESOLVE_FAILURE',
        elements: { errorCode: StatusCode[result.failure], type, queryName: name },
      });
    });
  }

  return {
    config: { DNSC: single(resolver.config) },
    commands: {
      DNSRESOLV({ args: { type, queryName } }) {
        if (notSupported(type)) return 'DNS_TYPE_NOT_SUPPORTED';
        if (!network.up) return 'NETWORK_INTF_DOWN';
        const types = type === RecordType.ANY ? resolver.addressTypes(undefined) : [type];
        for (const each of types) ask(textOf(queryName), each);
        return undefined;
      },
    },
  };
}
