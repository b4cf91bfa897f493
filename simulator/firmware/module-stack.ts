/** What the firmware uses of a TCP/IP stack. */
import type {
  Clock,
  Endpoint,
  Link,
  Random,
  Stack,
  TcpConnection,
  TcpHandler,
  TcpListener,
} from '../tcpip/contract.js';

export type ModuleConnection = Pick<
  TcpConnection,
  | 'state'
  | 'local'
  | 'remote'
  | 'handler'
  | 'readable'
  | 'ended'
  | 'writable'
  | 'read'
  | 'write'
  | 'shutdown'
  | 'abort'
  | 'setNoDelay'
  | 'setKeepAlive'
  | 'setReceiveBuffer'
  | 'setSendBuffer'
  | 'setTrafficClass'
>;

/** What a DHCP server granted. */
export interface Lease {
  readonly server: string;
  readonly routers: readonly string[];
  readonly leaseSeconds: number;
  readonly options: { readonly ntpServers?: readonly string[] | undefined };
}

export interface ModuleStack
  extends Pick<
    Stack,
    | 'addresses'
    | 'onAddressChange'
    | 'addAddress'
    | 'removeAddress'
    | 'setGateway'
    | 'nameServers'
    | 'startDhcp'
    | 'stopDhcp'
    | 'startIpv6'
    | 'udpBind'
    | 'ping'
    | 'setLinkUp'
    | 'close'
  > {
  readonly lease?: Lease | undefined;
  tcpConnect(remote: Endpoint, handler: TcpHandler): ModuleConnection;
  tcpListen(
    local: { readonly port: number },
    accept: (connection: ModuleConnection) => TcpHandler | undefined,
    options?: { backlog?: number },
  ): TcpListener;
}

/** Makes the stack of one boot. */
export type StackFactory = (options: {
  readonly link: Link;
  readonly clock: Clock;
  readonly random: Random;
  readonly mac: string;
}) => ModuleStack;
