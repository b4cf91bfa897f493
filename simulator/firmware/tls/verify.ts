/** Whether a peer's certificates are to be trusted, by the module's own clock. RFC 5280, section 6, as far as it goes. */
import type { X509Certificate } from 'node:crypto';
import { problem, type TlsProblem } from './problem.js';

/** Certificates from leaf to anchor. */
const MAX_DEPTH = 9;

export interface Presented {
  readonly leaf: X509Certificate;
  /** What came with it, in any order. */
  readonly others: readonly X509Certificate[];
  readonly anchors: readonly X509Certificate[];
  /** Milliseconds since 1970 by the module's clock; undefined while it is not set. */
  readonly now: number | undefined;
}

const same = (a: X509Certificate, b: X509Certificate): boolean => a.raw.equals(b.raw);
const signs = (issuer: X509Certificate, subject: X509Certificate): boolean =>
  subject.verify(issuer.publicKey);

/** A path to an anchor, the anchor last, or why there is none. */
function pathOf({ leaf, others, anchors }: Presented): X509Certificate[] | TlsProblem {
  const untrusted = (error: TlsProblem['error']) => problem(error, 'TLS_CA_CERT_VALIDATION');
  const path = [leaf];
  let forged = false;
  for (let current = leaf; path.length < MAX_DEPTH; ) {
    if (anchors.some((anchor) => same(anchor, current))) return path;
    const named = [...anchors, ...others].filter((issuer) => current.checkIssued(issuer));
    const issuers = named.filter((issuer) => signs(issuer, current));
    forged ||= named.length > 0 && issuers.length === 0;
    const next = issuers.find((issuer) => !path.some((seen) => same(seen, issuer)));
    if (next === undefined) {
      if (forged) return untrusted('ASN_SIG_CONFIRM_E');
      return untrusted(issuers.length > 0 ? 'ASN_SELF_SIGNED_E' : 'ASN_NO_SIGNER_E');
    }
    if (!next.ca) return untrusted('NOT_CA_ERROR');
    path.push(next);
    current = next;
  }
  return untrusted('MAX_CHAIN_ERROR');
}

function checkDates(path: readonly X509Certificate[], now: number | undefined): TlsProblem | undefined {
  const invalid = (error: TlsProblem['error']) => problem(error, 'TLS_CA_CERT_DATE_VALIDATION');
  if (now === undefined) return invalid('ASN_TIME_E');
  for (const { validFrom, validTo } of path) {
    if (now < Date.parse(validFrom)) return invalid('ASN_BEFORE_DATE_E');
    if (now > Date.parse(validTo)) return invalid('ASN_AFTER_DATE_E');
  }
  return undefined;
}

/** Chain and dates. */
export function verifyPeer(presented: Presented): TlsProblem | undefined {
  const path = pathOf(presented);
  return Array.isArray(path) ? checkDates(path, presented.now) : path;
}
