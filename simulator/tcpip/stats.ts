/** What the stack has counted since it was made. Every packet dropped is counted under the reason. */
export class StackStats {
  framesIn = 0;
  framesOut = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** The link refused a frame: its queue was full. */
  linkDrops = 0;
  /** Frames that came while the engine's own queue was full. */
  queueDrops = 0;

  /** Frames, packets, datagrams or segments that are not well formed, by layer. */
  malformedFrames = 0;
  malformedPackets = 0;
  malformedIcmp = 0;
  malformedUdp = 0;
  malformedTcp = 0;
  malformedTcpOptions = 0;
  badIpChecksums = 0;
  badIcmpChecksums = 0;
  badUdpChecksums = 0;
  badTcpChecksums = 0;
  /** Source addresses no packet may have: multicast, broadcast, our own from outside. */
  badSources = 0;
  /** For an address that is not ours. */
  notForUs = 0;
  /** A transport protocol nobody handles. */
  unknownProtocols = 0;
  noRoute = 0;

  fragmentsIn = 0;
  fragmentsOut = 0;
  reassembled = 0;
  reassemblyTimeouts = 0;
  /** Overlapping, overlong or tiny fragments, and fragments beyond the limits. */
  fragmentsRefused = 0;

  neighborsUnresolved = 0;
  neighborQueueDrops = 0;
  addressConflicts = 0;

  icmpIn = 0;
  icmpOut = 0;
  /** Errors not sent, because of their rate limit. */
  icmpLimited = 0;

  udpIn = 0;
  udpOut = 0;
  udpNoSocket = 0;

  tcpSegmentsIn = 0;
  tcpSegmentsOut = 0;
  tcpActiveOpens = 0;
  tcpPassiveOpens = 0;
  tcpResetsIn = 0;
  tcpResetsOut = 0;
  tcpRetransmits = 0;
  tcpTimeouts = 0;
  tcpSpuriousTimeouts = 0;
  tcpTailLossProbes = 0;
  tcpFastRecoveries = 0;
  tcpOutOfOrder = 0;
  tcpDuplicates = 0;
  tcpDuplicateSacks = 0;
  tcpPawsDrops = 0;
  tcpOutOfWindow = 0;
  tcpChallengeAcks = 0;
  tcpChallengeAcksLimited = 0;
  tcpWindowProbes = 0;
  tcpKeepAliveProbes = 0;
  tcpSynCookiesSent = 0;
  tcpSynCookiesAccepted = 0;
  tcpSynDrops = 0;
  tcpFastOpens = 0;
  tcpFastOpenFallbacks = 0;
  tcpCongestionMarks = 0;
  tcpPathMtuReductions = 0;
  tcpBlackHoles = 0;
}
