/** EXTCRYPTO: signing by the host on behalf of TLS. */
import { bytes, command, defineModule, event, int, optional, u8, u16 } from '../schema.js';

export const SignStatus = { SUCCESS: 0, FAILURE: 1 } as const;
export const OpType = { SIGN: 1 } as const;
export const OpSourceType = { TLSC: 1 } as const;
export const SignType = { ECDSA: 1 } as const;
export const Curve = { SECP256R1: 1, SECP384R1: 2, SECP521R1: 3 } as const;

export const EXTCRYPTO = defineModule(27, 'EXTCRYPTO', {
  commands: {
    EXTCRYPTO: command(0x1b00, {
      forms: { EXTCRYPTO: { OP_ID: u16(1), STATUS: u8(SignStatus), SIGNATURE: optional(bytes()) } },
    }),
  },
  events: {
    EXTCRYPTO: event(0x1b00, {
      REQUEST_AN_EXTERNAL_SIGNING_OPERATION: {
        OP_ID: int(1, 65535),
        OP_TYPE: int(OpType),
        OP_SOURCE_TYPE: int(OpSourceType),
        OP_SOURCE_ID: int(1, 2),
        SIGN_TYPE: int(SignType),
        CURVE: int(Curve),
        SIGN_VALUE: bytes(),
      },
    }),
  },
});
