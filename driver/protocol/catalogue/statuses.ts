/** Status codes: module << 8 | number, printed `module.number` on the AT wire. API reference, "Status codes". */
import { WincError } from '../errors.js';

const table = {
  OK: [0x0000, 'OK'],
  ERROR: [0x0001, 'General Error'],
  INVALID_CMD: [0x0002, 'Invalid AT Command'],
  UNKNOWN_CMD: [0x0003, 'Unknown AT Command'],
  INVALID_PARAMETER: [0x0004, 'Invalid Parameter'],
  INCORRECT_NUM_PARAMS: [0x0005, 'Incorrect Number of Parameters'],
  STORE_UPDATE_BLOCKED: [0x0006, 'Configuration Update Blocked'],
  STORE_ACCESS_FAILED: [0x0007, 'Configuration Access Failed'],
  TIMEOUT: [0x0008, 'Command Timed Out'],
  HOST_INTERFACE_FAILED: [0x0009, 'Host Interface Failed'],
  ACCESS_DENIED: [0x000a, 'Access Denied'],
  CONFIG_CONFLICT: [0x000b, 'Configuration Conflict'],
  WIFI_API_REQUEST_FAILED: [0x0100, 'Wi-Fi Request Failed'],
  STA_NOT_CONNECTED: [0x0101, 'STA Not Connected'],
  NETWORK_ERROR: [0x0102, 'Network Error'],
  FILE_SYSTEM_ERROR: [0x0103, 'File System Error'],
  CFG_NOT_PRESENT: [0x0300, 'Configuration not present'],
  DNS_TYPE_NOT_SUPPORTED: [0x0500, 'DNS Type Not Supported'],
  DNS_TIMEOUT: [0x0501, 'DNS Query Timeout'],
  DNS_ERROR: [0x0502, 'DNS Error'],
  DNS_RECORD_NOT_FOUND: [0x0503, 'DNS Record Not Found'],
  DNS_NON_EXISTENT_DOMAIN: [0x0504, 'DNS Non-Existent Domain'],
  DNS_AUTH_DATA_ERROR: [0x0505, 'DNS Data Authentication Error'],
  DNS_TRUNCATED_RESPONSE: [0x0506, 'DNS Response Truncated'],
  TSFR_PROTOCOL_NOT_SUPPORTED: [0x0700, 'Unsupported File Transfer Protocol'],
  FILE_EXISTS: [0x0701, 'File Exists'],
  FILE_NOT_FOUND: [0x0702, 'File Not Found'],
  INVALID_FILE_TYPE: [0x0703, 'Invalid File Type'],
  FILE_CREATE_FAILED: [0x0704, 'File create failed'],
  FILE_WRITE_FAILED: [0x0705, 'File write failed'],
  MQTT_ERROR: [0x0800, 'MQTT Error'],
  NETWORK_INTF_DOWN: [0x0900, 'Network interface down'],
  ERASE_DONE: [0x0a00, 'Erase Done'],
  WRITE_DONE: [0x0a01, 'Write Done'],
  VERIFY_DONE: [0x0a02, 'Verify Done'],
  ACTIVATE_DONE: [0x0a03, 'Activate Done'],
  INVALIDATE_DONE: [0x0a04, 'Invalidate Done'],
  OTA_ERROR: [0x0a05, 'OTA Error'],
  OTA_NO_STA_CONN: [0x0a06, 'No STA Connection'],
  OTA_PROTOCOL_ERROR: [0x0a07, 'Protocol Error'],
  OTA_TLS_ERROR: [0x0a08, 'TLS Error'],
  OTA_IMG_TOO_LARGE: [0x0a09, 'Image Exceeds'],
  OTA_TIMEOUT: [0x0a0a, 'Timeout'],
  OTA_VERIFY_FAILED: [0x0a0b, 'Image Verify Failed'],
  PING_FAILED: [0x0b00, 'Ping Failed'],
  SNTP_SERVER_TMO: [0x0d00, 'NTP Server Timeout'],
  SNTP_PROTOCOL_ERROR: [0x0d01, 'NTP Protocol Error'],
  SOCKET_ID_NOT_FOUND: [0x0e00, 'Socket ID Not Found'],
  LENGTH_MISMATCH: [0x0e01, 'Length Mismatch'],
  NO_FREE_SOCKETS: [0x0e02, 'No Free Sockets'],
  SOCKET_INVALID_PROTOCOL: [0x0e03, 'Invalid Socket Protocol'],
  SOCKET_CLOSE_FAILED: [0x0e04, 'Socket Close Failed'],
  SOCKET_BIND_FAILED: [0x0e05, 'Socket Bind Failed'],
  SOCKET_TLS_FAILED: [0x0e06, 'Socket TLS Failed'],
  SOCKET_CONNECT_FAILED: [0x0e07, 'Socket Connect Failed'],
  SOCKET_SEND_FAILED: [0x0e08, 'Socket Send Failed'],
  SOCKET_SET_OPT_FAILED: [0x0e09, 'Socket Set Option Failed'],
  SOCKET_REMOTE_NOT_SET: [0x0e0a, 'Socket Destination Not Set'],
  MULTICAST_ERROR: [0x0e0b, 'Multicast Error'],
  SOCKET_NOT_READY: [0x0e0c, 'Socket Not Ready'],
  SOCKET_SEQUENCE_ERROR: [0x0e0d, 'Socket Sequence Error'],
  TIME_ERROR: [0x1000, 'Time Error'],
  TLS_CA_CERT_MISSING: [0x1100, 'CA Cert Missing'],
  TLS_CA_CERT_VALIDATION: [0x1101, 'CA Cert Validation'],
  TLS_CA_CERT_DATE_VALIDATION: [0x1102, 'CA Cert Date Validation'],
  TLS_KEY_PAIR_INCOMPLETE: [0x1103, 'Key Pair Incomplete'],
  TLS_PEER_DOMAIN_MISSING: [0x1104, 'Peer Domain Missing'],
  WAP_STOP_REFUSED: [0x1200, 'Soft AP Stop Not Permitted'],
  WAP_STOP_FAILED: [0x1201, 'Soft AP Stop Failed'],
  WAP_START_REFUSED: [0x1202, 'Soft AP Start Not Permitted'],
  WAP_START_FAILED: [0x1203, 'Soft AP Start Failed'],
  UNSUPPORTTED_SEC_TYPE: [0x1204, 'Unsupported Security Type'],
  STA_DISCONN_REFUSED: [0x1400, 'STA Disconnect Not Permitted'],
  STA_DISCONN_FAILED: [0x1401, 'STA Disconnect Failed'],
  STA_CONN_REFUSED: [0x1402, 'STA Connection Not Permitted'],
  STA_CONN_FAILED: [0x1403, 'STA Connection Failed'],
  ASSOC_NOT_FOUND: [0x1600, 'Association Not Found'],
  NVM_LOCKED: [0x1d00, 'NVM Locked Until Reset'],
  DFU_ADDRESS_WARNING: [0x1e00, 'No Bootable Image In Other Partition'],
  PPS_WIFI_PS_NOT_ENABLED: [0x1f00, 'Wi-Fi PS Not Enabled'],
  PPS_TIMEOUT: [0x1f01, 'PPS Timeout'],
  PPS_PAUSE_EXPIRED: [0x1f02, 'PPS Pause Expired'],
  ARB_NO_INCREASE: [0x2100, 'The Value Provided Would Not Increase The ARB'],
  ARB_REJECTED: [0x2101, 'The Value Provided Would Invalidate The Current Image'],
  HTTP_DNS_FAILED: [0x2200, 'HTTP DNS failed'],
  HTTP_TLS_FAILED: [0x2201, 'HTTP TLS failed'],
  HTTP_CONNECT_FAILED: [0x2202, 'HTTP connect failed'],
  HTTP_MEMORY: [0x2203, 'HTTP buffer allocation'],
  HTTP_RESPONSE_HEADERS: [0x2204, 'HTTP response format'],
  HTTP_RECV_FAILED: [0x2205, 'HTTP receive failed'],
  HTTP_SEND_FAILED: [0x2206, 'HTTP send failed'],
  HTTP_TIMEOUT: [0x2207, 'HTTP timeout'],
} as const;

export type StatusName = keyof typeof table;
export interface StatusInfo {
  readonly code: number;
  readonly name: StatusName;
  /** As the module prints it. */
  readonly text: string;
}

/** The codes by name: `StatusCode.SOCKET_NOT_READY`. */
export const StatusCode = Object.fromEntries(Object.entries(table).map(([name, [code]]) => [name, code])) as {
  readonly [N in StatusName]: (typeof table)[N][0];
};

const byCode = new Map<number, StatusInfo>();
const byText = new Map<string, StatusInfo>();
for (const [name, [code, text]] of Object.entries(table)) {
  const info = { code, name: name as StatusName, text };
  byCode.set(code, info);
  byText.set(text, info);
}

export const statuses: ReadonlyMap<number, StatusInfo> = byCode;
export const statusByCode = (code: number): StatusInfo | undefined => byCode.get(code);
export const statusByText = (text: string): StatusInfo | undefined => byText.get(text);

/** `14.12 (Socket Not Ready)`: a status for people. */
export function describeStatus(code: number): string {
  const info = byCode.get(code);
  return `${code >> 8}.${code & 0xff}${info ? ` (${info.text})` : ''}`;
}

/** The error for a command the module refused. */
export function statusError(command: string | undefined, code: number, text?: string): WincError {
  const info = byCode.get(code);
  const what = code < 0 ? (text ?? 'no reason given') : describeStatus(code);
  return new WincError('WINC_STATUS', `${command ?? 'Command'} was refused: ${what}`, {
    ...(code >= 0 && { status: code }),
    ...(info && { statusName: info.name }),
  });
}
