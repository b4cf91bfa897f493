import { createPrivateKey, X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { checkCertificate, checkDhParams, checkPrivateKey } from '../../tls/index.js';
import { fixture } from './support/emulated.js';

const refused = (action: () => unknown, text: RegExp) =>
  expect(action).to.throw(text).with.property('code', 'WINC_CERTIFICATE');
const key = createPrivateKey(fixture('client.key'));

describe('checking certificates', () => {
  it('describes each certificate of a PEM file, and that of a DER file', () => {
    const [leaf, issuer, ...others] = checkCertificate(fixture('server.pem'));
    expect(others).to.have.length(0);
    expect(leaf.subject).to.equal('CN=server.test');
    expect(leaf.validFrom).to.equal(Date.UTC(2020, 0, 1));
    expect([leaf.ca, issuer.ca]).to.deep.equal([false, true]);
    const { raw, fingerprint256 } = new X509Certificate(fixture('client.pem'));
    expect(checkCertificate(raw)[0].fingerprint).to.equal(fingerprint256.replaceAll(':', ''));
  });

  it('refuses what is none', () => {
    refused(() => checkCertificate('hello'), /no certificate in PEM or DER/);
    refused(() => checkCertificate(fixture('client.key')), /no certificate in this PEM/);
    refused(() => checkCertificate(fixture('ca.pem').toString().replace('MII', 'XXX')), /no certificate/);
  });
});

describe('checking keys', () => {
  it('takes PEM, PKCS #8, SEC 1 and PKCS #1', () => {
    checkPrivateKey(fixture('client.key'), { certificate: fixture('client.pem') });
    for (const type of ['pkcs8', 'sec1'] as const) checkPrivateKey(key.export({ type, format: 'der' }));
    checkPrivateKey(createPrivateKey(fixture('rsa.key')).export({ type: 'pkcs1', format: 'der' }));
  });

  it('opens a locked one with its password, and lets one pass whose password it is not told', () => {
    checkPrivateKey(fixture('client-locked.key'), { password: 'secret', certificate: fixture('client.pem') });
    const locked = fixture('client-locked.key');
    checkPrivateKey(locked);
    checkPrivateKey(Buffer.from(locked.toString().replace(/-----[^-]+-----/g, ''), 'base64'));
    refused(() => checkPrivateKey(fixture('client-locked.key'), { password: 'wrong' }), /password is wrong/);
  });

  it('refuses what is no private key, or another certificate’s', () => {
    refused(() => checkPrivateKey(fixture('client.pem')), /no private key/);
    refused(() => checkPrivateKey(Buffer.alloc(100)), /no private key/);
    refused(
      () => checkPrivateKey(fixture('server.key'), { certificate: fixture('client.pem') }),
      /not that of the certificate/,
    );
  });
});

describe('checking Diffie-Hellman parameters', () => {
  it('takes PEM and DER', () => {
    const pem = fixture('dh.pem').toString();
    checkDhParams(pem);
    checkDhParams(Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64'));
  });
  it('refuses anything else', () => {
    for (const other of ['', 'hello', fixture('ca.pem'), fixture('client.key')]) {
      refused(() => checkDhParams(other), /no Diffie-Hellman/);
    }
  });
});
