import { expect } from 'chai';
import { CipherSuite } from '../../driver/protocol/index.js';
import { INVALID_TLS_HANDLE, type TlsContextOptions, TlsContexts, type TlsHandle } from '../../tls/index.js';
import { type Emulated, emulated, wires } from './support/emulated.js';

const client: TlsContextOptions = { ca: 'ca', serverName: 'server.test' };

for (const wire of wires) {
  describe(`TLS contexts, ${wire} wire`, () => {
    let device: Emulated;
    let contexts: TlsContexts;
    let sent: number;
    before(async () => {
      device = await emulated(wire);
    });
    after(() => device[Symbol.asyncDispose]());
    beforeEach(() => {
      contexts = new TlsContexts(device.module);
      sent = device.module.statistics.commands;
    });

    const read = async (conf: number) => {
      const values = new Map<unknown, unknown>();
      for (const response of await device.module.call('TLSC', { conf })) {
        if (response.form !== 'READ_RESPONSE') continue;
        const { id, val } = response.elements;
        values.set(typeof id === 'number' ? id : `${id.int}.${id.frac}`, val);
      }
      return values;
    };
    const failure = (promise: Promise<unknown>) =>
      promise.then(
        () => expect.fail('not refused'),
        (error: { code: string; message: string }) => error,
      );

    it('set up a configuration each, four at once', async () => {
      const handles: TlsHandle[] = [];
      for (let i = 0; i < 4; i++) handles.push(await contexts.open(client));
      expect(handles.map((handle) => contexts.tlsCtxHandleToCfgIdx(handle))).to.deep.equal([1, 2, 3, 4]);
      expect((await failure(contexts.open(client))).code).to.equal('WINC_TLS_CONTEXTS');
      await contexts.close(handles[1]);
      expect(contexts.tlsCtxHandleToCfgIdx(handles[1])).to.equal(-1);
      const again = await contexts.open({ ca: 'other', domain: 'else.test' });
      expect(again).to.not.equal(handles[1]);
      expect(contexts.tlsCtxHandleToCfgIdx(again)).to.equal(2);
      const values = await read(2);
      expect([values.get(1), values.get(5), values.get(6)]).to.deep.equal(['other', undefined, 'else.test']);
      expect(contexts.tlsCtxHandleToCfgIdx(INVALID_TLS_HANDLE)).to.equal(-1);
    });

    it('say everything the module can be told', async () => {
      await contexts.open({
        role: 'server',
        ca: 'roots',
        certificate: 'cert',
        key: 'key',
        keyPassword: 'pass word',
        dhParams: 'dh',
        verifyPeer: true,
        requireRenegotiationInfo: false,
        sessionCaching: true,
        cipherSuites: ['TLS_RSA_WITH_AES_128_CBC_SHA', 0xc02f],
        pins: [
          { algorithm: 'sha1', digest: 'AA:'.repeat(19).concat('AA') },
          { algorithm: 'sha256', digest: new Uint8Array(32) },
        ],
      });
      const values = await read(1);
      expect([1, 2, 3, 4, 8].map((id) => values.get(id))).to.deep.equal([
        'roots',
        'cert',
        'key',
        'pass word',
        'dh',
      ]);
      expect([40, 41, 42, 43, 7].map((id) => Number(values.get(id)))).to.deep.equal([1, 0, 0, 1, 1]);
      expect(values.has('9.0') && values.has('9.1')).to.equal(true);
      const suites = await device.module.call('TLSCSC', { cslIdx: 1, id: 1 });
      expect(suites.map(({ elements }) => elements.val)).to.deep.equal([
        CipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA,
        0xc02f,
      ]);
    });

    it('share the two lists of cipher suites', async () => {
      const suites = (cipherSuites: number[]) => contexts.open({ ...client, cipherSuites });
      const first = await suites([0xc02f]);
      const second = await suites([0xc030]);
      await suites([0xc02f]);
      expect((await failure(suites([0x2f]))).code).to.equal('WINC_TLS_CONTEXTS');
      await contexts.close(first);
      expect((await failure(suites([0x2f]))).code).to.equal('WINC_TLS_CONTEXTS');
      await contexts.close(second);
      await suites([0x2f]);
    });

    it('are gone after a reset', async () => {
      const handle = await contexts.open(client);
      await device.module.reset();
      expect(contexts.tlsCtxHandleToCfgIdx(handle)).to.equal(-1);
      expect(contexts.tlsCtxHandleToCfgIdx(await contexts.open(client))).to.equal(1);
    });

    it('are refused before anything is sent where they make no sense', async () => {
      const wrong: [object, RegExp][] = [
        [{ serverName: 'a' }, /CA file/],
        [{ ca: 'ca' }, /takes its name/],
        [{ ...client, certificate: 'c' }, /go together/],
        [{ role: 'server' }, /has a certificate/],
        [{ ...client, ca: 'a"\r\nAT+RST' }, /file name/],
        [{ ...client, serverName: 'a\nb' }, /control characters/],
        [{ ...client, serverName: 'a'.repeat(257) }, /256/],
        [{ ...client, cipherSuites: [0x1301] }, /no cipher suite/],
        [{ ...client, cipherSuites: [] }, /1 to 32/],
        [{ ...client, pins: [{ algorithm: 'sha1', digest: 'AABB' }] }, /20 bytes/],
        [{ ...client, pins: [{ algorithm: 'md5', digest: 'AABB' }] }, /no digest algorithm/],
        [{ ...client, alpn: ['h2'] }, /no ALPN/],
      ];
      for (const [options, text] of wrong) {
        const { code, message } = await failure(contexts.open(options as TlsContextOptions));
        expect(code).to.be.oneOf(['WINC_ARGUMENT', 'WINC_NOT_SUPPORTED']);
        expect(message).to.match(text);
      }
      expect(device.module.statistics.commands).to.equal(sent);
    });
  });
}
