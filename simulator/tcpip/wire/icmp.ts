/** ICMPv4 (RFC 792) and ICMPv6 (RFC 4443) types and codes; both share the 8 byte header: type, code, checksum, rest. */
export const ICMP_HEADER = 8;

export const ICMP_ECHO_REPLY = 0;
export const ICMP_UNREACHABLE = 3;
export const ICMP_ECHO_REQUEST = 8;
export const ICMP_TIME_EXCEEDED = 11;
export const ICMP_PARAMETER_PROBLEM = 12;
export const ICMP_TIMESTAMP_REQUEST = 13;
export const ICMP_TIMESTAMP_REPLY = 14;

export const UNREACHABLE_NET = 0;
export const UNREACHABLE_HOST = 1;
export const UNREACHABLE_PROTOCOL = 2;
export const UNREACHABLE_PORT = 3;
export const UNREACHABLE_FRAGMENTATION_NEEDED = 4;
export const TIME_EXCEEDED_REASSEMBLY = 1;

export const ICMPV6_UNREACHABLE = 1;
export const ICMPV6_PACKET_TOO_BIG = 2;
export const ICMPV6_TIME_EXCEEDED = 3;
export const ICMPV6_PARAMETER_PROBLEM = 4;
export const ICMPV6_ECHO_REQUEST = 128;
export const ICMPV6_ECHO_REPLY = 129;

export const ICMPV6_UNREACHABLE_NO_ROUTE = 0;
export const ICMPV6_UNREACHABLE_ADDRESS = 3;
export const ICMPV6_UNREACHABLE_PORT = 4;
export const PARAMETER_NEXT_HEADER = 1;
export const PARAMETER_OPTION = 2;

/** What an ICMP error means to a transport, whichever version it came by. */
export type IcmpError =
  | 'net-unreachable'
  | 'host-unreachable'
  | 'protocol-unreachable'
  | 'port-unreachable'
  | 'prohibited'
  | 'packet-too-big'
  | 'time-exceeded'
  | 'parameter-problem';

/** RFC 792, RFC 1122 3.2.2.1. `undefined`: no error message. */
export function icmpError(type: number, code: number): IcmpError | undefined {
  switch (type) {
    case ICMP_UNREACHABLE:
      switch (code) {
        case UNREACHABLE_PROTOCOL:
          return 'protocol-unreachable';
        case UNREACHABLE_PORT:
          return 'port-unreachable';
        case UNREACHABLE_FRAGMENTATION_NEEDED:
          return 'packet-too-big';
        case UNREACHABLE_NET:
        case 6:
        case 11:
          return 'net-unreachable';
        case 9:
        case 10:
        case 13:
          return 'prohibited';
        default:
          return 'host-unreachable';
      }
    case ICMP_TIME_EXCEEDED:
      return 'time-exceeded';
    case ICMP_PARAMETER_PROBLEM:
      return 'parameter-problem';
    default:
      return undefined;
  }
}

/** RFC 4443. */
export function icmpv6Error(type: number, code: number): IcmpError | undefined {
  switch (type) {
    case ICMPV6_UNREACHABLE:
      if (code === ICMPV6_UNREACHABLE_NO_ROUTE) return 'net-unreachable';
      if (code === ICMPV6_UNREACHABLE_PORT) return 'port-unreachable';
      return code === 1 || code === 5 ? 'prohibited' : 'host-unreachable';
    case ICMPV6_PACKET_TOO_BIG:
      return 'packet-too-big';
    case ICMPV6_TIME_EXCEEDED:
      return 'time-exceeded';
    case ICMPV6_PARAMETER_PROBLEM:
      return code === PARAMETER_NEXT_HEADER ? 'protocol-unreachable' : 'parameter-problem';
    default:
      return undefined;
  }
}
