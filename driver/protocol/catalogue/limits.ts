/** Limits of firmware 3.2.0 that no single parameter declares. API reference, "Limits", and the vendor's headers. */
export const limits = {
  /** TLVs in one response or event. The manual says 10, the header 12. */
  elements: 12,
  /** Payload bytes of one SOCKWR and one SOCKWRTO. */
  socketWrite: 1460,
  socketWriteTo: 1472,
  dnsQueryName: 256,
  fileName: 32,
  nvmBlock: 1024,
} as const;

/** DNS record types by number. Examples also show 50 (NSEC3) and 51 (NSEC3PARAM), as raw record data. */
export { RecordType } from './dns.js';
