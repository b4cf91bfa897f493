import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { fileDirectory } from '../../../simulator/file-directory.js';
import { FileStore, type Reservation } from '../../../simulator/firmware/files.js';

const bytes = (length: number, value = 0x55): Uint8Array => new Uint8Array(length).fill(value);

describe('file store', () => {
  it('keeps files by type and name', () => {
    const files = new FileStore();
    expect(files.put('cert', 'ca', bytes(3, 1))).to.equal(undefined);
    expect(files.put('key', 'ca', bytes(3, 2))).to.equal(undefined);
    expect(files.get('cert', 'ca')).to.deep.equal(bytes(3, 1));
    expect(files.get('key', 'ca')).to.deep.equal(bytes(3, 2));
    expect(files.get('user', 'ca')).to.equal(undefined);
    expect(files.put('cert', 'ca', bytes(1))).to.equal('FILE_EXISTS');
    expect(files.delete('cert', 'ca')).to.equal(undefined);
    expect(files.delete('cert', 'ca')).to.equal('FILE_NOT_FOUND');
    expect(files.list().map(({ type }) => type)).to.deep.equal(['key']);
  });

  it('counts whole sectors and entries', () => {
    const files = new FileStore();
    expect(files.freeSpace).to.equal(14 * 4096);
    expect(files.freeHandles).to.equal(28);
    files.put('user', 'small', bytes(1));
    files.put('user', 'exact', bytes(4096));
    files.put('user', 'over', bytes(4097));
    expect(files.freeSpace).to.equal(10 * 4096);
    expect(files.freeHandles).to.equal(25);
    expect(files.put('user', 'large', bytes(10 * 4096 + 1))).to.equal('FILE_CREATE_FAILED');
    expect(files.put('user', 'large', bytes(10 * 4096))).to.equal(undefined);
    expect(files.put('user', 'one more', bytes(1))).to.equal('FILE_CREATE_FAILED');
  });

  it('holds room for what is on its way', () => {
    const files = new FileStore();
    const room = files.reserve('user', 'slow', 10 * 4096) as Reservation;
    expect(files.freeSpace).to.equal(4 * 4096);
    expect(files.get('user', 'slow')).to.equal(undefined);
    expect(files.reserve('user', 'slow', 1)).to.equal('FILE_EXISTS');
    expect(files.reserve('user', 'other', 5 * 4096)).to.equal('FILE_CREATE_FAILED');
    room.release();
    expect(files.freeSpace).to.equal(14 * 4096);
    expect(room.commit(bytes(1))).to.equal('FILE_WRITE_FAILED');

    const abandoned = files.reserve('user', 'slow', 10) as Reservation;
    files.abandonReservations();
    const next = files.reserve('user', 'slow', 10) as Reservation;
    expect(abandoned.commit(bytes(1))).to.equal('FILE_WRITE_FAILED');
    expect(next.commit(bytes(10))).to.equal(undefined);
  });

  it('refuses names that are none', () => {
    const files = new FileStore();
    for (const name of ['', 'x'.repeat(33), 'é'.repeat(17), 'a\0b']) {
      expect(files.put('user', name, bytes(1)), name).to.equal('INVALID_PARAMETER');
    }
    expect(files.put('user', 'x'.repeat(32), bytes(1))).to.equal(undefined);
  });

  it('fails, and forgets, when what backs it fails', () => {
    const fail = (): never => {
      throw new Error('disk full');
    };
    const files = new FileStore({ load: () => [], write: fail, remove: fail });
    expect(files.put('user', 'a', bytes(1))).to.equal('FILE_WRITE_FAILED');
    expect(files.list()).to.deep.equal([]);
    expect(files.freeSpace).to.equal(14 * 4096);
  });
});

describe('file directory', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'wincs02-files-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('keeps files over lives, whatever their names', () => {
    const names = ['plain', '../../etc/passwd', '..', '.hidden', 'ca.pem', 'a%2Fb', 'über', 'lone\udc80'];
    const first = new FileStore(fileDirectory(directory));
    for (const name of names) expect(first.put('user', name, Buffer.from(name)), name).to.equal(undefined);
    first.put('key', 'secret', bytes(5));
    expect(readdirSync(directory).sort()).to.deep.equal(['cert', 'cfg', 'dh', 'key', 'user']);
    expect(readdirSync(join(directory, 'user')))
      .to.have.length(names.length)
      .and.include('ca.pem');
    expect(statSync(join(directory, 'key', 'secret')).mode & 0o777).to.equal(0o600);

    const second = new FileStore(fileDirectory(directory));
    expect(second.list('user').map(({ name }) => name)).to.have.members(names);
    expect(second.get('key', 'secret')).to.deep.equal(Buffer.from(bytes(5)));
    for (const name of names) expect(second.delete('user', name), name).to.equal(undefined);
    expect(readdirSync(join(directory, 'user'))).to.deep.equal([]);
  });

  it('starts with what somebody put there', () => {
    mkdirSync(join(directory, 'cert'), { recursive: true });
    writeFileSync(join(directory, 'cert', 'ca.pem'), 'certificate');
    const files = new FileStore(fileDirectory(directory));
    expect(files.get('cert', 'ca.pem')).to.deep.equal(readFileSync(join(directory, 'cert', 'ca.pem')));
  });

  it('says what the module cannot hold', () => {
    mkdirSync(join(directory, 'user'), { recursive: true });
    writeFileSync(join(directory, 'user', 'huge'), bytes(60_000));
    expect(() => new FileStore(fileDirectory(directory))).to.throw(/user file huge/);
    writeFileSync(join(directory, 'file'), '');
    expect(() => fileDirectory(join(directory, 'file'))).to.throw(/file directory/);
  });
});
