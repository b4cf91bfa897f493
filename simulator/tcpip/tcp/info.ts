import type { TcpInfo } from '../contract.js';
import type { Connection } from './connection.js';
import { pipe, receiveSpace } from './output.js';
import { backedOff } from './rtt.js';

const FOREVER = 0x7fffffff;

export function describeConnection(c: Connection): TcpInfo {
  return {
    state: c.state,
    cwnd: c.cwnd,
    ssthresh: c.ssthresh === FOREVER ? Number.POSITIVE_INFINITY : c.ssthresh,
    congestionControl: c.congestion.name,
    srtt: c.srtt / 1000,
    rttvar: c.rttvar / 1000,
    minRtt: c.minRtt === FOREVER ? 0 : c.minRtt / 1000,
    rto: backedOff(c),
    retransmits: c.retransmits,
    inFlight: pipe(c),
    lost: c.scoreboard.lostBytes,
    sendQueue: c.sendBuffer.length,
    receiveQueue: c.receiveBuffer.length,
    sendWindow: c.window,
    receiveWindow: Math.max(0, Math.min(receiveSpace(c), (c.receiveAdvertised - c.receiveNext) | 0)),
    sendBuffer: c.sendLimit,
    receiveBuffer: c.receiveLimit,
    mss: c.mss,
    sack: c.sackOk,
    timestamps: c.timestampsOk,
    windowScale: c.scalingOk ? { send: c.sendScale, receive: c.receiveScale } : undefined,
    ecn: c.ecnOk,
    fastOpen: c.fastOpenAccepted,
  };
}
