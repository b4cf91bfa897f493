/** MQTT: MQTT 3.1.1 and 5 client. */
import {
  bytes,
  CONFIG_PARAMS,
  cfg,
  command,
  configCommand,
  configId,
  configValue,
  defineModule,
  event,
  host,
  i32,
  int,
  only,
  optional,
  PRESET,
  RO,
  str,
  u8,
  u16,
  u32,
  variant,
} from '../schema.js';

export const CleanStart = { USE_EXIST: 0, USE_NEW: 1 } as const;
export const Qos = { QOS0: 0, QOS1: 1, QOS2: 2 } as const;
export const Duplicate = { NEW_MSG: 0, DUP_MSG: 1 } as const;
export const Retain = { NOT_RETAINED: 0, RETAINED: 1 } as const;
export const DisconnectReason = {
  NORMAL: 0,
  SEND_LWT: 4,
  ERROR: 128,
  MALFORM_PKT: 129,
  PROT_ERR: 130,
  IMP_SPEC_ERR: 131,
  TOP_INVALID: 144,
  RX_MAX_EXCEED: 147,
  TOP_ALIAS_INVALID: 148,
  PKT_TOO_LARGE: 149,
  MSG_RATE_TOO_HIGH: 150,
  QUOTA_EXCEED: 151,
  ADMIN_ACT: 152,
  PAYLOAD_INVALID: 153,
} as const;
export const Property = {
  ALL: 0,
  PAYLOAD_FORMAT_IND: 1,
  MSG_EXPIRY_INTERVAL: 2,
  CONTENT_TYPE: 3,
  RESP_TOPIC: 8,
  CORRELATION_DATA: 9,
  SUBSCRIPTION_ID: 11,
  SESSION_EXPIRY_INTERVAL: 17,
  REQ_PROB_INFO: 23,
  WILL_DELAY_INTERVAL: 24,
  REQ_RESP_INFO: 25,
  REASON_STR: 31,
  RECEIVE_MAX: 33,
  TOPIC_ALIAS_MAX: 34,
  TOPIC_ALIAS: 35,
  USER_PROP: 38,
  MAX_PACKET_SZ: 39,
} as const;
export const PropertySelection = { PROP_NOT_SEL: 0, PROP_SEL: 1 } as const;
export const PropertySelected = { NOT_SELECTED: 0, SELECTED: 1 } as const;
export const ConnState = { NOT_CONNECTED: 0, CONNECTED: 1 } as const;
export const ConnackFlags = { NO_SESSION: 0, SESSION_PRESENT: 1 } as const;
export const ConnectReason = {
  SUCCESS: 0,
  ERROR: 128,
  MALFORM_PKT: 129,
  PROT_ERR: 130,
  IMP_SPEC_ERR: 131,
  PROT_NA: 132,
  INVALID_CLIENT_ID: 133,
  BAD_USER_PASS: 134,
  NOT_AUTH: 135,
  SRV_NA: 136,
  SRV_BUSY: 137,
  BANNED: 138,
  BAD_AUTH: 140,
  TOP_INVALID: 144,
  PKT_TOO_LARGE: 149,
  QUOTA_EXCEED: 151,
  PAYLOAD_INVALID: 153,
  RETAIN_NA: 154,
  QOS_NA: 155,
  USE_DIFF_SRV: 156,
  SRV_MOVED: 156,
  CONN_RATE_EXCEED: 159,
} as const;
export const SubscribeReason = {
  QOS0_GRANTED: 0,
  QOS1_GRANTED: 1,
  QOS2_GRANTED: 2,
  ERROR: 128,
  IMP_SPEC_ERR: 131,
  NOT_AUTH: 135,
  TOP_FILT_INVALID: 143,
  PKT_ID_IN_USE: 145,
  QUOTA_EXCEED: 151,
  SHARED_SUB_NOT_SUP: 158,
  SUB_IDENT_NA: 161,
  WILDCARD_SUB_NA: 162,
} as const;
export const UnsubscribeResult = {
  SUCCESS: 0,
  NO_SUB: 15,
  ERROR: 128,
  IMP_SPEC_ERR: 131,
  NOT_AUTH: 135,
  TOP_FILT_INVALID: 143,
  PKT_ID_IN_USE: 145,
} as const;

const mqttcConfig = {
  PRESET,
  BROKER_ADDR: cfg(1, host(256)),
  BROKER_PORT: cfg(2, i32(0, 65535)),
  CLIENT_ID: cfg(3, str(64)),
  USERNAME: cfg(4, str(128)),
  PASSWORD: cfg(5, str(256)),
  KEEP_ALIVE: cfg(6, i32(0, 32767)),
  TLS_CONF: cfg(7, i32(0, 4), { hiddenWhenZero: true }),
  PROTO_VER: cfg(8, u32({ V3_1_1: 3, V5: 5 })),
  READ_THRESHOLD: cfg(9, u32(0, 65535)),
  SOCKET_ID: cfg(10, u32()),
};

const mqttproptxConfig = {
  PRESET,
  PAYLOAD_FORMAT_IND: cfg(1, u32()),
  MSG_EXPIRY_INTERVAL: cfg(2, u32()),
  CONTENT_TYPE: cfg(3, str(64)),
  RESP_TOPIC: cfg(8, str(64)),
  CORRELATION_DATA: cfg(9, bytes()),
  SUBSCRIPTION_ID: cfg(11, u32()),
  SESSION_EXPIRY_INTERVAL: cfg(17, u32()),
  REQ_PROB_INFO: cfg(23, u32()),
  WILL_DELAY_INTERVAL: cfg(24, u32()),
  REQ_RESP_INFO: cfg(25, u32()),
  REASON_STR: cfg(31, str(64)),
  RECEIVE_MAX: cfg(33, u32(0, 65535)),
  TOPIC_ALIAS_MAX: cfg(34, u32(0, 65535)),
  TOPIC_ALIAS: cfg(35, u32(0, 65535)),
  MAX_PACKET_SZ: cfg(39, u32()),
  USER_PROP: cfg(38, bytes(), { index: [0, 9] }),
};

const mqttproprxConfig = {
  PRESET,
  PAYLOAD_FORMAT_IND: cfg(1, u32(), RO),
  MSG_EXPIRY_INTERVAL: cfg(2, u32(), RO),
  CONTENT_TYPE: cfg(3, str(64), RO),
  RESP_TOPIC: cfg(8, str(64), RO),
  CORRELATION_DATA: cfg(9, bytes(), RO),
  SUBSCRIPTION_ID: cfg(11, u32(), RO),
  SESSION_EXPIRY_INTERVAL: cfg(17, u32(), RO),
  ASSIGNED_CLIENT_ID: cfg(18, str(64), RO),
  SERVER_KEEP_ALIVE: cfg(19, u32(), RO),
  REQ_PROB_INFO: cfg(23, u32(), RO),
  REQ_RESP_INFO: cfg(25, u32(), RO),
  RESP_INFO: cfg(26, str(64), RO),
  SERVER_REF: cfg(28, str(64), RO),
  REASON_STR: cfg(31, str(64), RO),
  RECEIVE_MAX: cfg(33, u32(0, 65535), RO),
  TOPIC_ALIAS_MAX: cfg(34, u32(0, 65535), RO),
  TOPIC_ALIAS: cfg(35, u32(0, 65535), RO),
  MAX_QOS: cfg(36, u32(0, 2), RO),
  RETAIN_AVAIL: cfg(37, u32(), RO),
  USER_PROP: cfg(38, bytes(), { readOnly: true, index: [0, 9] }),
  MAX_PACKET_SZ: cfg(39, u32(), RO),
  WILDCARD_SUB_AVAIL: cfg(40, u32(), RO),
  SUBSCRIPTION_ID_AVAIL: cfg(41, u32(), RO),
  SHARED_SUBSCRIPTION_AVAIL: cfg(42, u32(), RO),
};

export const MQTT = defineModule(8, 'MQTT', {
  commands: {
    MQTTC: configCommand(0x0800, { forms: { MQTTC: CONFIG_PARAMS }, config: mqttcConfig }),
    MQTTCONN: command(0x0801, { forms: { MQTTCONN: { CLEAN: optional(i32(CleanStart), -1) } }, queries: 0 }),
    MQTTSUB: command(0x0802, { forms: { MQTTSUB: { TOPIC_NAME: str(), MAX_QOS: u8(Qos) } } }),
    MQTTSUBLST: command(0x0803, {
      forms: { MQTTSUBLST: {} },
      responses: { SUBSCRIPTION_REPORT: { TOPIC_NAME: str(), QOS: int(Qos) } },
      queries: 0,
    }),
    MQTTSUBRD: command(0x0804, {
      forms: { MQTTSUBRD: { TOPIC_NAME: str(), MSG_ID: u16(), LENGTH: u16() } },
      responses: {
        READ_SUBSCRIBED_DATA: { MSG_ID: int(), MSG_LENGTH: int(), TOPIC_PAYLOAD: str() },
        READ_SUBSCRIBED_DATA_ONLY: { MSG_LENGTH: int(), TOPIC_PAYLOAD: str() },
      },
    }),
    MQTTUNSUB: command(0x0805, { forms: { MQTTUNSUB: { TOPIC_NAME: str() } } }),
    MQTTPUB: command(0x0806, {
      forms: {
        MQTTPUB: {
          DUP: u8(Duplicate),
          QOS: u8(Qos),
          RETAIN: u8(Retain),
          TOPIC_NAME_ID: variant(),
          TOPIC_PAYLOAD: str(),
        },
      },
      responses: { PUBLISH_QOS_0: {}, PUBLISH_QOS_1_2: { PACKET_ID: int() } },
    }),
    MQTTLWT: command(0x0807, {
      forms: { MQTTLWT: { QOS: u8(Qos), RETAIN: u8(Retain), TOPIC_NAME: str(), TOPIC_PAYLOAD: str() } },
    }),
    MQTTDISCONN: command(0x0808, {
      forms: { MQTTDISCONN: { REASON_CODE: optional(i32(DisconnectReason, { min: 0, max: 255 }), -1) } },
    }),
    MQTTPROPTX: configCommand(0x0809, {
      forms: {
        MQTTPROPTX: CONFIG_PARAMS,
        MQTTPROPTXKV: { ID: only(u8(), 38), KEY: str(), VALS: optional(str()) },
      },
      responses: { READ_RESPONSE_KEY_VALUE: { ID: configId(), KEY: str(), VALS: str() } },
      config: mqttproptxConfig,
    }),
    MQTTPROPRX: configCommand(0x080a, {
      forms: {
        MQTTPROPRX: { ID: optional(configId(), -1) },
        MQTTPROPRXPRESET: { ID: only(u8(), 0), VAL: configValue() },
      },
      responses: { READ_RESPONSE_KEY_VALUE: { ID: configId(), KEY: str(), VALS: str() } },
      config: mqttproprxConfig,
    }),
    MQTTPROPTXS: command(0x080b, {
      forms: {
        MQTTPROPTXS: { PROP_ID: optional(i32(Property), -1), PROP_SEL: optional(i32(PropertySelection), -1) },
      },
      responses: { READ_RESPONSE: { PROP_ID: configId(), PROP_SEL: int(PropertySelected) } },
      queries: 1,
      verb: 'set',
    }),
  },
  events: {
    MQTTCONN: event(0x0800, { CONNECTION_STATE: { CONN_STATE: int(ConnState) } }),
    MQTTCONNACK: event(0x0801, {
      CONNECTION_STATE: { CONNACK_FLAGS: int(ConnackFlags), CONN_REASON_CODE: int(ConnectReason) },
    }),
    MQTTPUBACK: event(0x0802, { PUBLISH_ACKNOWLEDGE: { PACKET_ID: int() } }),
    MQTTPUBCOMP: event(0x0803, { PUBLISH_COMPLETE: { PACKET_ID: int() } }),
    MQTTPUBERR: event(0x0804, { PUBLISH_ERROR: { PACKET_ID: int() } }),
    MQTTSUB: event(0x0805, { SUBSCRIBE_RESPONSE: { REASON_CODE: int(SubscribeReason) } }),
    MQTTUNSUB: event(0x0806, { UNSUBSCRIBE_RESPONSE: { RESULT: int(UnsubscribeResult) } }),
    MQTTSUBRX: event(0x0807, {
      RECEIVED_SUBSCRIBED_DATA: {
        DUP: int(Duplicate),
        QOS: int(Qos),
        RETAIN: int(Retain),
        TOPIC_NAME: str(),
        TOPIC_PAYLOAD: str(),
      },
      RECEIVED_SUBSCRIBED_DATA_NOTIFICATION: {
        DUP: int(Duplicate),
        QOS: int(Qos),
        RETAIN: int(Retain),
        TOPIC_NAME: str(),
        MSG_ID: int(),
        MSG_LENGTH: int(),
      },
    }),
    MQTTPROPRX: event(0x0808, {
      PROPERTY_ID_UPDATED: { PROP_ID: configId() },
      PROPERTY_ID_UPDATED_WITH_VALUE: { PROP_ID: configId(), VAL: configValue() },
      PROPERTY_ID_UPDATED_WITH_KEY_VALUE_PAIR: { PROP_ID: configId(), KEY: str(), VALS: str() },
    }),
  },
});
