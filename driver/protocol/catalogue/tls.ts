/** TLS: TLS configurations and cipher suite lists. */
import {
  bool,
  bytes,
  CONFIG_PARAMS,
  cfg,
  complex,
  configCommand,
  defineModule,
  event,
  i32,
  int,
  list,
  only,
  optional,
  PRESET,
  RO,
  status,
  str,
  u8,
  u32,
} from '../schema.js';

export const DigestAlgorithm = { SHA1: 1, SHA2_256: 2, SHA2_224: 3, SHA2_512: 4, SHA2_384: 5 } as const;

const tlscConfig = {
  PRESET,
  CA_CERT_NAME: cfg(1, str(32)),
  CERT_NAME: cfg(2, str(32)),
  PRI_KEY_NAME: cfg(3, str(32)),
  PRI_KEY_PASSWORD: cfg(4, str(64)),
  SERVER_NAME: cfg(5, str(256)),
  DOMAIN_NAME: cfg(6, str(256)),
  CIPHER_SUITES_IDX: cfg(7, i32(1, 2)),
  DH_PARAM_NAME: cfg(8, str(32)),
  EXTCRYPTO_OPS: cfg(20, i32({ NONE: 0, SIGN: 1 })),
  SIGN_TYPES: cfg(21, i32({ ECDSA: 1 }), RO),
  PEER_AUTH: cfg(40, bool('DISABLED', 'ENABLED')),
  PEER_DOMAIN_VERIFY: cfg(41, bool('DISABLED', 'ENABLED')),
  SERVER_RENEG_INFO: cfg(42, bool('NOT REQUIRED', 'REQUIRED')),
  SESSION_CACHING: cfg(43, bool('DISABLED', 'ENABLED')),
  PEER_CERT_DIGESTS: cfg(9, complex('HASH_DIGEST_ALGORITHM_PAIR', { DIGEST: bytes(), ALGO: int() }), {
    index: [0, 3],
  }),
};

const tlscscConfig = {
  PRESET,
  CIPHER_SUITES: cfg(1, u32(1, 65535), { index: [0, 31] }),
  CIPHER_SUITES_AVAIL: cfg(2, u32(1, 65535), { readOnly: true, index: [0, 31] }),
};

export const TLS = defineModule(17, 'TLS', {
  commands: {
    TLSC: configCommand(0x1100, {
      forms: {
        TLSC: { CONF: optional(u8(1, 4), 0), ...CONFIG_PARAMS },
        TLSCDA: {
          CONF: u8(1, 4),
          ID: only(u8(), 9),
          DIGEST: bytes(),
          ALGO: optional(u8(DigestAlgorithm), 0),
        },
      },
      responses: { LIST_RESPONSE: { CONF: list(int(1, 4)) } },
      config: tlscConfig,
    }),
    TLSCSC: configCommand(0x1101, {
      forms: { TLSCSC: { CSL_IDX: optional(u8(1, 2), 0), ...CONFIG_PARAMS } },
      config: tlscscConfig,
    }),
  },
  events: { TLSERR: event(0x1100, { TLS_ERROR: { CONF: int(1, 4), ERROR_CODE: status() } }) },
});
