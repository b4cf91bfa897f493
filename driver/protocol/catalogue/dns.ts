/** DNS: name resolution. */
import {
  bool,
  bytes,
  CONFIG_PARAMS,
  cfg,
  command,
  configCommand,
  defineModule,
  event,
  i32,
  int,
  ip,
  is,
  named,
  PRESET,
  status,
  str,
  u8,
  u32,
} from '../schema.js';

export const DnsProtoPref = { A_AAAA: 1, AAAA_A: 2, A: 3, AAAA: 4 } as const;
export const DnsMcSrvPref = { OFF: 0, IPv4: 1, IPv6: 2, IPANY: 3 } as const;
export const RecordType = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  DS: 43,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  ANY: 255,
} as const;
export const KeyProtocol = { DNSSEC: 3 } as const;

const record = (...values: number[]) => is(int(RecordType), ...values);

const dnscConfig = {
  PRESET,
  DNS_SVR: cfg(1, ip(), { index: [0, 3] }),
  DNS_AUTO: cfg(2, bool('MANUAL', 'AUTO')),
  DNS_TIMEOUT: cfg(3, u32(0, 65535)),
  DNS_PROTO_PREF: cfg(4, u32(DnsProtoPref)),
  DNS_CACHE_TTL: cfg(6, u32(0, 65535)),
  TLS_CONF: cfg(7, i32(0, 4)),
  DNS_DNSSEC_MODE: cfg(8, u32({ OFF: 0, CD: 1, AD: 2 })),
  DNS_SRV_PORT: cfg(10, u32(1, 65535), { default: 53 }),
  DNS_SRV_SECURE_PORT: cfg(11, u32(1, 65535), { default: 853 }),
  DNS_CONN_PREF: cfg(12, u32({ UDP_TLS: 0, TCP_TLS: 1 })),
  DNS_MC_SRV_PREF: cfg(13, u32(DnsMcSrvPref)),
  DNS_CONN_IDLE_TIMEOUT: cfg(14, u32(0, 65535)),
};

export const DNS = defineModule(5, 'DNS', {
  commands: {
    DNSC: configCommand(0x0500, { forms: { DNSC: CONFIG_PARAMS }, config: dnscConfig }),
    DNSRESOLV: command(0x0501, {
      forms: { DNSRESOLV: { TYPE: u8(RecordType, { min: 1, max: 255 }), QUERY_NAME: str(256) } },
    }),
  },
  events: {
    DNSRESOLV: event(0x0500, {
      A_AAAA_RESPONSE: { TYPE: record(RecordType.A, RecordType.AAAA), QUERY_NAME: str(), ADDRESS: ip() },
      NS_RESPONSE: { TYPE: record(RecordType.NS), QUERY_NAME: str(), NSDNAME: str() },
      CNAME_RESPONSE: { TYPE: record(RecordType.CNAME), QUERY_NAME: str(), CNAME: str() },
      SOA_RESPONSE: {
        TYPE: record(RecordType.SOA),
        QUERY_NAME: str(),
        MNAME: str(),
        SERIAL: int(0),
        REFRESH: int(0),
        RETRY: int(0),
        EXPIRE: int(0),
        MINIMUM: int(0),
        RNAME: str(),
      },
      PTR_RESPONSE: { TYPE: record(RecordType.PTR), QUERY_NAME: str(), PTRDNAME: str() },
      MX_RESPONSE: {
        TYPE: record(RecordType.MX),
        QUERY_NAME: str(),
        EXCHANGE: str(),
        PREFERENCE: int(0, 65535),
      },
      TXT_RESPONSE: { TYPE: record(RecordType.TXT), QUERY_NAME: str(), TXT_DATA: str() },
      SRV_RESPONSE: {
        TYPE: record(RecordType.SRV),
        QUERY_NAME: str(),
        TARGET: str(),
        PRIORITY: int(0, 65535),
        WEIGHT: int(0, 65535),
        PORT: int(0, 65535),
      },
      DS_RESPONSE: {
        TYPE: record(RecordType.DS),
        QUERY_NAME: str(),
        KEY_TAG: int(0, 65535),
        ALGORITHM: int(1, 255),
        DIGEST_TYPE: int(1, 255),
        DIGEST: bytes(),
      },
      RRSIG_RESPONSE: {
        TYPE: record(RecordType.RRSIG),
        QUERY_NAME: str(),
        SIGNER_NAME: str(),
        TYPE_COVERED: named('TYPE', int(RecordType)),
        ALGORITHM: int(1, 255),
        LABELS: int(0, 255),
        ORIG_TTL: int(0),
        SIG_EXPIRE: int(0),
        SIG_INCEPT: int(0),
        KEY_TAG: int(0, 65535),
        SIGNATURE: bytes(),
      },
      NSEC_RESPONSE: {
        TYPE: record(RecordType.NSEC),
        QUERY_NAME: str(),
        NEXT_DOMAIN: str(),
        TYPE_BIT_MAPS: bytes(),
      },
      DNSKEY_RESPONSE: {
        TYPE: record(RecordType.DNSKEY),
        QUERY_NAME: str(),
        FLAGS: int(0, 65535),
        PROTOCOL: int(KeyProtocol),
        ALGORITHM: int(1, 255),
        PUBLIC_KEY: bytes(),
      },
      OTHER_RESPONSE: { TYPE: int(RecordType), QUERY_NAME: str(), RDATA: bytes() },
    }),
    DNSERR: event(0x0501, {
      RESOLVE_FAILURE: { ERROR_CODE: status(), TYPE: int(RecordType), QUERY_NAME: str() },
    }),
  },
});
