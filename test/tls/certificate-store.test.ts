import { expect } from 'chai';
import { CertificateStore, ModuleFiles } from '../../tls/index.js';
import { type Emulated, emulated, fixture, wires } from './support/emulated.js';

for (const wire of wires) {
  describe(`certificate store, ${wire} wire`, () => {
    let device: Emulated;
    let store: CertificateStore;
    before(async () => {
      device = await emulated(wire);
      store = new CertificateStore(device.module);
    });
    after(() => device[Symbol.asyncDispose]());
    const failure = (promise: Promise<unknown>) =>
      promise.then(
        () => expect.fail('not refused'),
        (error: { code: string; statusName?: string; message: string }) => error,
      );

    it('keeps what it is given, and gives it back', async () => {
      const steps: number[] = [];
      const [leaf] = await store.putCertificate('server', fixture('server.pem'), {
        onProgress: (done, total) => {
          expect(total).to.equal(fixture('server.pem').length);
          steps.push(done);
        },
      });
      expect(leaf.subject).to.equal('CN=server.test');
      expect(steps).to.have.length(Math.ceil(fixture('server.pem').length / 128));
      expect(steps.at(-1)).to.equal(fixture('server.pem').length);
      expect(Buffer.from(await store.get('certificate', 'server'))).to.deep.equal(fixture('server.pem'));
      await store.putKey('server', fixture('server.key'));
      await store.putDhParams('dh', fixture('dh.pem'));
      expect(await store.list()).to.have.deep.members([
        { kind: 'certificate', name: 'server' },
        { kind: 'key', name: 'server' },
        { kind: 'dh', name: 'dh' },
      ]);
      expect(await store.list('key')).to.deep.equal([{ kind: 'key', name: 'server' }]);
      const { bytes, files } = await store.room();
      await store.remove('dh', 'dh');
      const later = await store.room();
      expect(later.files).to.equal(files + 1);
      expect(later.bytes).to.be.greaterThan(bytes);
    });

    it('replaces only when told to', async () => {
      await store.putCertificate('ca', fixture('ca.pem'));
      expect((await failure(store.putCertificate('ca', fixture('other-ca.pem')))).statusName).to.equal(
        'FILE_EXISTS',
      );
      await store.putCertificate('ca', fixture('other-ca.pem'), { replace: true });
      expect(Buffer.from(await store.get('certificate', 'ca'))).to.deep.equal(fixture('other-ca.pem'));
    });

    it('does not give keys back', async () => {
      await store.putKey('secret', fixture('client.key'), { certificate: fixture('client.pem') });
      expect((await failure(store.get('key', 'secret'))).code).to.equal('WINC_STATUS');
    });

    it('sends nothing that is not what it is said to be, or has no good name', async () => {
      const { commands } = device.module.statistics;
      expect((await failure(store.putCertificate('bad', 'nonsense'))).code).to.equal('WINC_CERTIFICATE');
      const error = await failure(store.putKey('bad', fixture('client.pem')));
      expect(error.code).to.equal('WINC_CERTIFICATE');
      expect(JSON.stringify(error) + error.message).to.not.contain('MII');
      for (const name of ['', 'a'.repeat(33), 'a b', 'a"\r\nAT+RST']) {
        expect((await failure(store.putCertificate(name, fixture('ca.pem')))).code).to.equal('WINC_ARGUMENT');
      }
      expect(device.module.statistics.commands).to.equal(commands);
    });

    it('gives up a transfer that is aborted, and its room', async () => {
      const before = await store.room();
      const controller = new AbortController();
      const stop = { signal: controller.signal, onProgress: () => controller.abort() };
      expect((await failure(store.putCertificate('half', fixture('server.pem'), stop))).code).to.equal(
        'WINC_ABORTED',
      );
      expect(await store.room()).to.deep.equal(before);
      expect((await failure(store.get('certificate', 'half'))).statusName).to.equal('FILE_NOT_FOUND');
    });

    it('carries files of any bytes, beyond 255 blocks', async () => {
      const files = new ModuleFiles(device.module);
      const data = Uint8Array.from({ length: 33_333 }, (_, at) => (at * 31 + (at >> 7)) & 0xff);
      await files.put('user', 'big.bin', data);
      expect(await files.get('user', 'big.bin')).to.deep.equal(data);
      await files.remove('user', 'big.bin');
    });
  });
}
