import dnsPacket, { type Answer, type DecodedPacket } from 'dns-packet';
import type { FakeStack, FakeUdpSocket } from './fake-stack.js';

export interface Zone {
  /** By `TYPE name`. A name without any entry does not exist. */
  readonly answers: Readonly<Record<string, readonly Answer[]>>;
  readonly additionals?: Readonly<Record<string, readonly Answer[]>>;
  /** Names nobody answers for. */
  readonly silent?: readonly string[];
  readonly flags?: number;
}

export const record = (type: string, name: string, data: unknown, ttl = 60): Answer =>
  ({ type, name, data, ttl, class: 'IN' }) as Answer;

export interface Asked {
  readonly packet: DecodedPacket;
  readonly server: string;
}

/** Answers every datagram the stack sends to port 53 out of a zone; tells what was asked. */
export function serveNames(stack: FakeStack, zone: Zone): Asked[] {
  const asked: Asked[] = [];
  stack.onDatagram = (socket: FakeUdpSocket, data, to) => {
    if (to.port !== 53) return;
    const packet = dnsPacket.decode(Buffer.from(data)) as DecodedPacket;
    asked.push({ packet, server: to.address });
    const question = packet.questions?.[0];
    if (question === undefined || zone.silent?.includes(question.name)) return;
    const key = `${question.type} ${question.name}`;
    const exists = Object.keys(zone.answers).some((known) => known.endsWith(` ${question.name}`));
    const reply = dnsPacket.encode({
      type: 'response',
      id: packet.id ?? 0,
      flags: (zone.flags ?? 0) | dnsPacket.RECURSION_DESIRED | (exists ? 0 : 3),
      questions: [question],
      answers: [...(zone.answers[key] ?? [])],
      additionals: [...(zone.additionals?.[key] ?? [])],
    });
    // Never from inside the call that sent the question.
    stack.later(() => socket.deliver(reply, to));
  };
  return asked;
}
