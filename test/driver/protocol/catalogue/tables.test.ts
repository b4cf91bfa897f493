import { expect } from 'chai';
import { CipherSuite, cipherSuiteName } from '../../../../driver/protocol/catalogue/cipher-suites.js';
import { type CommandName, commands, events, modules } from '../../../../driver/protocol/catalogue/index.js';
import { limits, RecordType } from '../../../../driver/protocol/catalogue/limits.js';
import {
  describeStatus,
  StatusCode,
  statusByCode,
  statusByText,
  statusError,
  statuses,
} from '../../../../driver/protocol/catalogue/statuses.js';
import { TlsError, tlsErrorName } from '../../../../driver/protocol/catalogue/tls-errors.js';
import type { ValueType } from '../../../../driver/protocol/schema.js';
import { facts } from '../fixtures.js';

/** Every enumeration of a module: labels with their values. */
function labelsOf(moduleName: string): Set<string> {
  const module = modules.find(({ name }) => name === moduleName);
  const found = new Set<string>();
  const visit = (type: ValueType): void => {
    if ('labels' in type && type.labels && !Array.isArray(type.labels)) {
      for (const [label, value] of Object.entries(type.labels)) found.add(`${label}=${value}`);
    }
    if (type.kind === 'list') visit(type.of);
    if (type.kind === 'complex') Object.values(type.elements).forEach(visit);
  };
  for (const name of Object.keys(module?.commands ?? {})) {
    const spec = commands[name as CommandName];
    for (const form of spec.forms) for (const { type } of form.params) visit(type);
    for (const form of spec.responses) for (const { type } of form.elements) visit(type);
    for (const { type } of spec.config?.values() ?? []) visit(type);
  }
  for (const name of Object.keys(module?.events ?? {})) {
    for (const form of events[name as keyof typeof events].forms) {
      for (const { type } of form.elements) visit(type);
    }
  }
  return found;
}

describe('tables', () => {
  it('has all 92 statuses', () => {
    expect(statuses.size).to.equal(92);
    for (const { code, name, text, module, atCode } of facts.statusCodes) {
      expect(statusByCode(code)).to.deep.equal({ code, name, text });
      expect(StatusCode[name as keyof typeof StatusCode]).to.equal(code);
      expect(code >> 8).to.equal(module);
      expect(describeStatus(code)).to.equal(`${atCode} (${text})`);
    }
  });

  it('finds a status by its text', () => {
    for (const { text } of facts.statusCodes) expect(statusByText(text)?.text).to.equal(text);
    expect(statusByText('Socket Not Ready')?.code).to.equal(StatusCode.SOCKET_NOT_READY);
  });

  it('makes an error of a status', () => {
    const error = statusError('SOCKWR', StatusCode.SOCKET_NOT_READY);
    expect(error).to.include({ code: 'WINC_STATUS', status: 0x0e0c, statusName: 'SOCKET_NOT_READY' });
    expect(error.message).to.include('SOCKWR').and.include('14.12');
    expect(statusError('GMR', -1, 'Busy'))
      .to.include({ status: undefined })
      .with.property('message')
      .includes('Busy');
    expect(statusError('GMR', 0x7777).message).to.include('119.119');
  });

  it('has all 278 TLS errors', () => {
    expect(Object.keys(TlsError)).to.have.length(278);
    for (const { code, name } of facts.tlsErrors) {
      expect(TlsError[name as keyof typeof TlsError]).to.equal(code);
      expect(facts.tlsErrors.filter((error) => error.code === code).map((error) => error.name)).to.include(
        tlsErrorName(code),
      );
    }
  });

  it('has all 24 cipher suites', () => {
    expect(Object.keys(CipherSuite)).to.have.length(24);
    for (const { code, name } of facts.cipherSuites) {
      expect(CipherSuite[name as keyof typeof CipherSuite]).to.equal(code);
      expect(cipherSuiteName(code)).to.equal(name);
    }
  });

  it('has all DNS record types', () => {
    expect(RecordType).to.deep.equal(
      Object.fromEntries(facts.dnsRecordTypes.map(({ name, value }) => [name, value])),
    );
  });

  it('has the limits of the references', () => {
    const { limits: theirs } = facts.wire;
    expect(limits).to.deep.equal({
      elements: theirs.responseElementsInHeader,
      socketWrite: theirs.sockwrData,
      socketWriteTo: theirs.sockwrtoData,
      dnsQueryName: theirs.dnsQueryName,
      fileName: theirs.fsFilename,
      nvmBlock: facts.headerParamLimits.NVM_LENGTH.max,
    });
  });

  for (const [moduleName, constants] of Object.entries(facts.headerConstants)) {
    it(`names the header's constants of ${moduleName}`, () => {
      // The header has the IP versions under NETIF; the commands that take them are in SOCKET.
      const ours = labelsOf(moduleName === 'NETIF' ? 'SOCKET' : moduleName);
      for (const [name, value] of Object.entries(constants)) {
        // The header prefixes the label with the parameter's name: PROTOCOL_VERSION_IPV4.
        const label = [...ours].find((known) => `${name}=${value}`.endsWith(known));
        expect(label, `${moduleName} ${name}=${value}`).to.not.equal(undefined);
      }
    });
  }
});
