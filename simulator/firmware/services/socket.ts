/** SOCKET: AT+SOCKO and everything done with its id. API reference, module SOCKET. */
import { OutputMode, Protocol } from '../../../driver/protocol/catalogue/socket.js';
import type { StatusName } from '../../../driver/protocol/catalogue/statuses.js';
import type { Board } from '../board.js';
import type { Call, Service } from '../service.js';
import { DatagramSocket } from '../sockets/datagram-socket.js';
import { type ModuleSocket, SocketTable } from '../sockets/socket-table.js';
import { StreamSocket } from '../sockets/stream-socket.js';
import { bytesOf, hostOf } from '../values.js';

const familyOf = (version: number | undefined): 4 | 6 | undefined =>
  version === 4 || version === 6 ? version : undefined;
const refusal = (socket: StreamSocket | DatagramSocket, length: number, sequence: number | undefined) =>
  socket instanceof StreamSocket ? socket.refuses(length, sequence) : socket.refuses(sequence);

export function socket(board: Board): Service {
  const sockets = new SocketTable(board);

  /** Runs `action` with the socket of that id. */
  const at = <T>(id: number, action: (socket: ModuleSocket) => T): T | StatusName => {
    const found = sockets.find(id);
    return found === undefined ? 'SOCKET_ID_NOT_FOUND' : action(found);
  };

  function read(call: Call<'SOCKRD'> | Call<'SOCKRDBUF'>, buffered: boolean): StatusName | undefined {
    const { sockId, outputMode, length } = call.args;
    if (length < 0) return 'INVALID_PARAMETER';
    const extended = outputMode === OutputMode.ASCII_EXT;
    return at(sockId, (socket) => {
      if (socket instanceof StreamSocket) {
        if (buffered) return 'SOCKET_INVALID_PROTOCOL';
        const data = socket.read(length, extended);
        if (typeof data === 'string') return data;
        const head = { sockId, length: data.length };
        call.respond(
          extended
            ? {
                form: 'SOCKET_READ_RESPONSE_TCP_EXTENDED',
                elements: { ...head, pendData: socket.readable, data },
              }
            : { form: 'SOCKET_READ_RESPONSE', elements: { ...head, data } },
        );
        return undefined;
      }
      if (!(socket instanceof DatagramSocket)) return 'SOCKET_NOT_READY';
      const { receiver } = socket;
      const { data, from, pending, datagrams } = buffered
        ? receiver.readBuffered(length, extended)
        : receiver.read(length, extended);
      board.afterStatus(() => receiver.pump());
      const head = { sockId, length: data.length };
      call.respond(
        extended && from !== undefined
          ? {
              form: 'SOCKET_READ_RESPONSE_UDP_EXTENDED',
              elements: {
                ...head,
                pendData: pending,
                pendDatagram: datagrams,
                rmtAddr: from.address,
                rmtPort: from.port,
                data,
              },
            }
          : { form: 'SOCKET_READ_RESPONSE', elements: { ...head, data } },
      );
      return undefined;
    });
  }

  return {
    commands: {
      SOCKO(call) {
        const { protocol, protocolVersion } = call.args;
        const opened = sockets.open(protocol === Protocol.TCP ? 'tcp' : 'udp', familyOf(protocolVersion));
        if (opened === undefined) return 'NO_FREE_SOCKETS';
        call.respond({ form: 'SOCKET_OPEN_RESPONSE', elements: { sockId: opened.id } });
        return undefined;
      },

      SOCKBL: ({ args: { sockId, lclPort, pendSkts } }) =>
        at(sockId, (socket) => {
          if (socket instanceof DatagramSocket) return socket.bind(lclPort);
          if (!(socket instanceof StreamSocket) || !socket.fresh) return 'SOCKET_BIND_FAILED';
          return sockets.listen(socket, lclPort, pendSkts);
        }),

      SOCKBR: ({ args: { sockId, rmtAddr, rmtPort } }) =>
        at(sockId, (socket) => {
          if (socket instanceof StreamSocket || socket instanceof DatagramSocket) {
            return socket.connect(hostOf(rmtAddr), rmtPort);
          }
          return 'SOCKET_BIND_FAILED';
        }),

      SOCKBM: ({ args: { sockId, mcastAddr, mcastPort } }) =>
        at(sockId, (socket) =>
          socket instanceof DatagramSocket
            ? socket.join(hostOf(mcastAddr), mcastPort)
            : 'SOCKET_INVALID_PROTOCOL',
        ),

      SOCKTLS: ({ args: { sockId, tlsConf } }) =>
        at(sockId, (socket) =>
          socket instanceof DatagramSocket ? 'SOCKET_INVALID_PROTOCOL' : socket.secure(tlsConf),
        ),

      SOCKWR: ({ args: { sockId, length, seqNum, data }, payloadFollows }) =>
        at(sockId, (socket) => {
          if (!(socket instanceof StreamSocket || socket instanceof DatagramSocket))
            return 'SOCKET_NOT_READY';
          if (payloadFollows) return refusal(socket, length, seqNum);
          const bytes = bytesOf(data);
          if (bytes.length !== length) return 'LENGTH_MISMATCH';
          return socket instanceof StreamSocket ? socket.write(bytes, seqNum) : socket.send(bytes, seqNum);
        }),

      SOCKWRTO: ({ args: { sockId, rmtAddr, rmtPort, length, seqNum, data }, payloadFollows }) =>
        at(sockId, (socket) => {
          if (!(socket instanceof DatagramSocket)) return 'SOCKET_INVALID_PROTOCOL';
          const to = { address: hostOf(rmtAddr), port: rmtPort };
          if (payloadFollows) return socket.refuses(seqNum, to);
          const bytes = bytesOf(data);
          return bytes.length === length ? socket.send(bytes, seqNum, to) : 'LENGTH_MISMATCH';
        }),

      SOCKRD: (call) => read(call, false),
      SOCKRDBUF: (call) => read(call, true),

      SOCKCL: (call) =>
        at(call.args.sockId, (socket) => {
          sockets.close(socket);
          call.respond({ form: 'SOCKET_CLOSE_RESPONSE', elements: { sockId: socket.id } });
          return undefined;
        }),

      SOCKLST(call) {
        const { sockId } = call.args;
        if (sockId !== undefined && sockets.find(sockId) === undefined) return 'SOCKET_ID_NOT_FOUND';
        for (const socket of sockets.all()) {
          if (sockId !== undefined && socket.id !== sockId) continue;
          const { remote } = socket;
          call.respond({
            form: 'SOCKET_LIST_RESPONSE',
            elements: {
              sockId: socket.id,
              protocol: socket.protocol === 'tcp' ? Protocol.TCP : Protocol.UDP,
              rmtAddr: remote?.address ?? (socket.family === 6 ? '::' : '0.0.0.0'),
              rmtPort: remote?.port ?? 0,
              lclPort: socket.localPort,
            },
          });
        }
        return undefined;
      },
    },
    config: {
      SOCKC: {
        table: (id) => sockets.find(id ?? 0)?.config ?? 'SOCKET_ID_NOT_FOUND',
        instances: () => [...sockets.all()].map(({ id }) => id),
      },
    },
  };
}
