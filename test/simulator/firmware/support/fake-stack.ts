/** A stack without a network: connections and datagrams are what a test says they are. */

import type { Lease, ModuleConnection, ModuleStack } from '../../../../simulator/firmware/module-stack.js';
import type {
  AddressInfo,
  Clock,
  Endpoint,
  Link,
  PingResult,
  Random,
  TcpFailure,
  TcpHandler,
  TcpListener,
  TcpState,
  UdpHandler,
  UdpSocket,
} from '../../../../simulator/tcpip/contract.js';
import { StackError } from '../../../../simulator/tcpip/errors.js';

export class FakeConnection implements ModuleConnection {
  state: TcpState = 'SYN-SENT';
  handler: TcpHandler = {};
  context: unknown;
  /** What the module has written. */
  written = Buffer.alloc(0);
  room = 8192;
  aborted = false;
  /** The module has written, ended or aborted. */
  onOutput: () => void = () => {};
  readonly options: Record<string, unknown> = {};
  #unread = Buffer.alloc(0);
  #fin = false;

  constructor(
    readonly local: Endpoint,
    readonly remote: Endpoint,
  ) {}

  get readable(): number {
    return this.#unread.length;
  }
  get ended(): boolean {
    return this.#fin && this.readable === 0;
  }
  get writable(): number {
    return this.room;
  }

  /** The peer answers the SYN. */
  establish(): void {
    this.state = 'ESTABLISHED';
    this.handler.connected?.();
  }
  /** The peer sends. */
  deliver(data: string | Uint8Array): void {
    this.#unread = Buffer.concat([this.#unread, Buffer.from(data as Uint8Array)]);
    this.handler.readable?.();
  }
  /** The peer's FIN. */
  end(): void {
    this.#fin = true;
    this.state = 'CLOSE-WAIT';
    this.handler.readable?.();
  }
  fail(failure: TcpFailure): void {
    this.state = 'CLOSED';
    this.handler.closed?.(failure);
  }

  write(data: Uint8Array): number {
    const taken = Math.min(data.length, this.room);
    this.written = Buffer.concat([this.written, data.subarray(0, taken)]);
    this.room -= taken;
    this.onOutput();
    return taken;
  }
  read(into: Uint8Array): number {
    const taken = Math.min(into.length, this.#unread.length);
    into.set(this.#unread.subarray(0, taken));
    this.#unread = this.#unread.subarray(taken);
    return taken;
  }
  peek(into: Uint8Array, offset = 0): number {
    const piece = this.#unread.subarray(offset, offset + into.length);
    into.set(piece);
    return piece.length;
  }
  shutdown(): void {
    this.state = 'FIN-WAIT-1';
    this.onOutput();
  }
  abort(): void {
    this.aborted = true;
    this.state = 'CLOSED';
    this.onOutput();
  }
  setNoDelay(on: boolean): void {
    this.options.noDelay = on;
  }
  setKeepAlive(idleMs: number): void {
    this.options.keepAlive = idleMs;
  }
  setReceiveBuffer(bytes: number): void {
    this.options.receiveBuffer = bytes;
  }
  setSendBuffer(bytes: number): void {
    this.options.sendBuffer = bytes;
  }
  setTrafficClass(value: number): void {
    this.options.trafficClass = value;
  }
}

export class FakeUdpSocket implements UdpSocket {
  readonly sent: { readonly data: Uint8Array; readonly to: Endpoint }[] = [];
  readonly groups: string[] = [];
  closed = false;

  constructor(
    readonly stack: FakeStack,
    readonly local: Endpoint,
    readonly handler: UdpHandler,
  ) {}

  send(data: Uint8Array, to: Endpoint): void {
    const sent = { data: data.slice(), to };
    this.sent.push(sent);
    this.stack.onDatagram(this, sent.data, to);
  }
  /** A datagram arrives. */
  deliver(data: string | Uint8Array, from: Endpoint): void {
    if (!this.closed) this.handler.message(Buffer.from(data as Uint8Array), from, this.local);
  }
  close(): void {
    this.closed = true;
    this.stack.udp.delete(this);
  }
  join(group: string): void {
    if (!/^(22[4-9]|23\d)\.|^ff/i.test(group))
      throw new StackError('EINVAL', `${group} is no multicast group`);
    this.groups.push(group);
  }
  leave(group: string): void {
    this.groups.splice(this.groups.indexOf(group), 1);
  }
  setTrafficClass(): void {}
}

export interface FakeStackOptions {
  readonly link: Link;
  readonly clock: Clock;
  readonly random: Random;
  readonly mac: string;
}

export class FakeStack implements ModuleStack {
  readonly mac: string;
  addresses: AddressInfo[] = [];
  onAddressChange: (() => void) | undefined;
  nameServers: string[] = [];

  readonly connections: FakeConnection[] = [];
  readonly listeners = new Map<number, (connection: ModuleConnection) => TcpHandler | undefined>();
  readonly udp = new Set<FakeUdpSocket>();
  readonly pings: string[] = [];
  linkUp = false;
  closed = false;
  gateway: string | undefined;
  hostname: string | undefined;

  /** What the DHCP server hands out; set by the test before the station joins. */
  dhcp = { address: '192.168.0.20', prefix: 24, nameServers: ['192.168.0.1'], afterMs: 3 };
  granted: Lease = { server: '192.168.0.1', routers: ['192.168.0.1'], leaseSeconds: 3600, options: {} };
  /** Announced at once when the link comes up, if set. */
  linkLocal: string | undefined;
  /** What becomes of a connection attempt. */
  onConnect: (connection: FakeConnection) => void = () => {};
  onDatagram: (socket: FakeUdpSocket, data: Uint8Array, to: Endpoint) => void = () => {};

  readonly #clock: Clock;
  #nextPort = 49152;
  #dhcpRuns = false;

  constructor({ clock, mac }: FakeStackOptions) {
    this.#clock = clock;
    this.mac = mac;
  }

  get lease(): Lease | undefined {
    return this.addresses.some(({ origin }) => origin === 'dhcp') ? this.granted : undefined;
  }

  addAddress(address: string, prefix: number): void {
    this.#add({ address, prefix, origin: 'static' });
  }
  removeAddress(address: string): void {
    this.addresses = this.addresses.filter((info) => info.address !== address);
    this.onAddressChange?.();
  }
  setGateway(address: string | undefined): void {
    this.gateway = address;
  }
  startDhcp(options: { hostname?: string } = {}): void {
    this.#dhcpRuns = true;
    this.hostname = options.hostname;
    this.#clock.setTimer(() => {
      if (!this.#dhcpRuns || !this.linkUp) return;
      this.nameServers = this.dhcp.nameServers;
      this.#add({ address: this.dhcp.address, prefix: this.dhcp.prefix, origin: 'dhcp' });
    }, this.dhcp.afterMs);
  }
  stopDhcp(): void {
    this.#dhcpRuns = false;
    this.addresses = this.addresses.filter(({ origin }) => origin !== 'dhcp');
    this.onAddressChange?.();
  }
  startIpv6(): void {
    if (this.linkLocal !== undefined)
      this.#add({ address: this.linkLocal, prefix: 64, origin: 'link-local' });
  }

  tcpConnect(remote: Endpoint): ModuleConnection {
    const connection = new FakeConnection({ address: this.#own(remote), port: this.#nextPort++ }, remote);
    this.connections.push(connection);
    this.#clock.setTimer(() => this.onConnect(connection), 1);
    return connection;
  }
  tcpListen(
    local: { readonly port: number },
    accept: (connection: ModuleConnection) => TcpHandler | undefined,
  ): TcpListener {
    if (this.listeners.has(local.port)) throw new StackError('EADDRINUSE', `port ${local.port}`);
    this.listeners.set(local.port, accept);
    return {
      local: { address: '0.0.0.0', port: local.port },
      close: () => void this.listeners.delete(local.port),
    };
  }
  /** A client connects to a listener; undefined if it was turned away. Once taken, it is told so, as by the engine. */
  arrive(port: number, remote: Endpoint): FakeConnection | undefined {
    const connection = new FakeConnection({ address: this.#own(remote), port }, remote);
    connection.state = 'ESTABLISHED';
    const handler = this.listeners.get(port)?.(connection);
    if (handler === undefined) return undefined;
    connection.handler = handler;
    handler.connected?.();
    return connection;
  }

  udpBind(local: Partial<Endpoint>, handler: UdpHandler): UdpSocket {
    const port = local.port ?? this.#nextPort++;
    if ([...this.udp].some((socket) => socket.local.port === port))
      throw new StackError('EADDRINUSE', `port ${port}`);
    const socket = new FakeUdpSocket(this, { address: local.address ?? '0.0.0.0', port }, handler);
    this.udp.add(socket);
    return socket;
  }

  /** A moment later. */
  later(action: () => void): void {
    this.#clock.setTimer(action, 1);
  }

  ping(address: string, _options: object, done: (result: PingResult | string) => void): () => void {
    this.pings.push(address);
    const timer = this.#clock.setTimer(() => done('ETIMEDOUT'), 1000);
    return () => timer.cancel();
  }

  setLinkUp(up: boolean): void {
    this.linkUp = up;
  }
  close(): void {
    this.closed = true;
  }

  #own(remote: Endpoint): string {
    const wantsIpv6 = remote.address.includes(':');
    return this.addresses.find(({ address }) => address.includes(':') === wantsIpv6)?.address ?? '0.0.0.0';
  }
  #add(info: AddressInfo): void {
    this.addresses = [...this.addresses.filter(({ address }) => address !== info.address), info];
    this.onAddressChange?.();
  }
}
