import { expect } from 'chai';
import { fastTimings, realisticTimings } from '../../../simulator/firmware/profile.js';
import { Bench } from './support/bench.js';
import { type FakeAccessPoint, lab } from './support/fake-radio.js';

const other: FakeAccessPoint = { ...lab, bssid: '00:01:02:03:04:06', channel: 11, rssi: -60 };

const ready = (...accessPoints: FakeAccessPoint[]): Bench => {
  const bench = Bench.booted();
  bench.command('ATE0');
  if (accessPoints.length > 0) bench.radio.accessPoints = accessPoints;
  for (const line of ['AT+WSTAC=1,"MyAP"', 'AT+WSTAC=2,3', 'AT+WSTAC=3,"MyAPPSK"']) bench.command(line);
  return bench;
};

describe('station', () => {
  it('takes the strongest access point that fits', () => {
    const bench = ready(other, lab, {
      ...lab,
      bssid: '00:00:00:00:00:01',
      rssi: -10,
      security: 'wpa3-personal',
    });
    bench.command('AT+WSTA=1');
    expect(bench.wait(100)).to.contain('+WSTALU:1,"00:01:02:03:04:05",6');
  });

  it('keeps to the configured channel and BSSID', () => {
    const byChannel = ready(other, lab);
    byChannel.command('AT+WSTAC=4,11');
    byChannel.command('AT+WSTA=1');
    expect(byChannel.wait(100)).to.contain('+WSTALU:1,"00:01:02:03:04:06",11');
    const byBssid = ready(other, lab);
    byBssid.command('AT+WSTAC=5,"00:01:02:03:04:06"');
    byBssid.command('AT+WSTA=1');
    expect(byBssid.wait(100)).to.contain('+WSTALU:1,"00:01:02:03:04:06",11');
  });

  it('finds a hidden network by its name', () => {
    const bench = ready({ ...lab, hidden: true });
    bench.command('AT+WSTA=1');
    expect(bench.wait(100)).to.contain('+WSTALU:1');
  });

  it('counts associations', () => {
    const bench = ready();
    for (const id of [1, 2, 3]) {
      bench.command('AT+WSTA=1');
      expect(bench.wait(100)).to.contain(`+WSTALU:${id},`).and.contain(`+WSTAAIP:${id},"192.168.0.20"`);
      expect(bench.command('AT+WSTA=0')).to.equal(`OK\r\n\r+WSTALD:${id}\r\n`);
    }
  });

  it('says nothing when told to leave a network it is not on', () => {
    const bench = ready();
    expect(bench.command('AT+WSTA=0')).to.equal('OK\r\n');
    expect(bench.wait(1000)).to.equal('');
  });

  it('gives up joining when told to leave', () => {
    const bench = ready();
    bench.command('AT+WSTA=1');
    expect(bench.command('AT+WSTA=0')).to.equal('OK\r\n');
    expect(bench.wait(1000)).to.equal('');
    expect(bench.command('AT+WSTA')).to.equal('+WSTA:0\r\nOK\r\n');
  });

  it('refuses a second AT+WSTA=1, while joining and after', () => {
    const bench = ready();
    bench.command('AT+WSTA=1');
    expect(bench.command('AT+WSTA=1')).to.equal('ERROR:20.2,"STA Connection Not Permitted"\r\n');
    bench.wait(100);
    expect(bench.command('AT+WSTA=1')).to.equal('ERROR:20.2,"STA Connection Not Permitted"\r\n');
  });

  it('needs a name, and a passphrase where the security type has one', () => {
    const bench = Bench.booted();
    bench.command('ATE0');
    expect(bench.command('AT+WSTA=1')).to.equal('ERROR:0.4,"Invalid Parameter"\r\n');
    bench.command('AT+WSTAC=1,"MyAP"');
    bench.command('AT+WSTAC=2,3');
    expect(bench.command('AT+WSTA=1')).to.equal('ERROR:0.4,"Invalid Parameter"\r\n');
  });

  it('can try again after a failure', () => {
    const bench = ready();
    bench.command('AT+WSTAC=3,"wrong one"');
    bench.command('AT+WSTA=1');
    expect(bench.wait(fastTimings.associationFailure + 1)).to.contain('+WSTAERR:20.3');
    bench.command('AT+WSTAC=3,"MyAPPSK"');
    bench.command('AT+WSTA=1');
    expect(bench.wait(100)).to.contain('+WSTALU:1');
  });

  it('takes its time where told to be realistic', () => {
    const bench = new Bench({ timings: realisticTimings });
    bench.firmware.powerUp();
    bench.wait(4000);
    for (const line of ['AT+WSTAC=1,"MyAP"', 'AT+WSTAC=2,3', 'AT+WSTAC=3,"MyAPPSK"', 'AT+WSTA=1'])
      bench.command(line);
    expect(bench.wait(1999)).to.equal('');
    expect(bench.wait(100)).to.contain('+WSTALU');
  });

  it('goes on through another access point of its network when one is lost', () => {
    const bench = ready(lab, other);
    bench.command('AT+WSTAC=9,1');
    bench.command('AT+WSTA=1');
    bench.wait(100);
    const { id, connection } = bench.connect();
    bench.take();
    bench.radio.accessPoints = [other];
    bench.radio.association.lost();
    expect(bench.wait(100)).to.equal('\r+WSTAROAM:1\r\n');
    connection.deliver('still here');
    expect(bench.take()).to.equal(`\r+SOCKRXT:${id},10\r\n`);
    expect(bench.command('AT+ASSOC')).to.equal('OK\r\n\r+ASSOC:1,0,"00:01:02:03:04:06",-60\r\n');
  });

  it('asks for its address again, unless it roams on layer 2 only', () => {
    const bench = ready(lab, other);
    bench.command('AT+WSTA=1');
    bench.wait(100);
    bench.stack.dhcp = { ...bench.stack.dhcp, address: '10.1.0.5' };
    bench.radio.accessPoints = [other];
    bench.radio.association.lost();
    expect(bench.wait(100)).to.equal('\r+WSTAROAM:1\r\n\r+WSTAAIP:1,"10.1.0.5"\r\n');
  });

  it('does not, if roaming is off', () => {
    const bench = ready(lab, other);
    bench.command('AT+WSTAC=9,0');
    bench.command('AT+WSTA=1');
    bench.wait(100);
    bench.radio.association.lost();
    expect(bench.wait(100)).to.equal('\r+WSTALD:1\r\n');
  });

  it('reports the association, and only that', () => {
    const bench = ready();
    for (const query of ['AT+ASSOC', 'AT+ASSOC?', 'AT+ASSOC=1']) {
      expect(bench.command(query)).to.equal('ERROR:22.0,"Association Not Found"\r\n');
    }
    bench.command('AT+WSTA=1');
    bench.wait(100);
    expect(bench.command('AT+ASSOC=1')).to.equal('OK\r\n\r+ASSOC:1,0,"00:01:02:03:04:05",-42\r\n');
    expect(bench.command('AT+ASSOC=2')).to.contain('22.0');
  });

  it('keeps out of channels the regulatory domain does not allow', () => {
    const bench = ready({ ...lab, channel: 13 });
    bench.command('AT+WIFIC=10,"USA"');
    bench.command('AT+WSTA=1');
    expect(bench.wait(1000)).to.contain('+WSTAERR');
    expect(bench.command('AT+WIFIC=10,"XYZ"')).to.equal('ERROR:0.4,"Invalid Parameter"\r\n');
  });
});

describe('station addresses', () => {
  it('come from DHCP, under the configured host name', () => {
    const bench = ready();
    bench.command('AT+NETIFC=0,3,"sensor"');
    bench.command('AT+WSTA=1');
    bench.wait(100);
    expect(bench.stack.hostname).to.equal('sensor');
    expect(bench.command('AT+NETIFC=0,40')).to.equal('+NETIFC:40,"192.168.0.20/24"\r\nOK\r\n');
  });

  it('come from the configuration without DHCP, and make no event', () => {
    const bench = ready();
    bench.command('AT+NETIFC=0,10,0');
    bench.command('AT+NETIFC=0,40,"10.0.0.5/16"');
    bench.command('AT+NETIFC=0,41,"10.0.0.1"');
    bench.command('AT+WSTA=1');
    expect(bench.wait(100)).to.equal('\r+WSTALU:1,"00:01:02:03:04:05",6\r\n');
    expect(bench.stack.addresses).to.deep.include({ address: '10.0.0.5', prefix: 16, origin: 'static' });
    expect(bench.stack.gateway).to.equal('10.0.0.1');
    bench.command('AT+WSTA=0');
    expect(bench.stack.addresses).to.deep.equal([]);
  });

  it('take a mask in either form', () => {
    for (const [written, prefix] of [
      ['10.0.0.5/255.255.0.0', 16],
      ['10.0.0.5/20', 20],
      ['10.0.0.5', 24],
    ]) {
      const bench = ready();
      bench.command('AT+NETIFC=0,10,0');
      expect(bench.command(`AT+NETIFC=0,40,"${written}"`)).to.equal('OK\r\n');
      bench.command('AT+WSTA=1');
      bench.wait(100);
      expect(bench.stack.addresses).to.deep.include({ address: '10.0.0.5', prefix, origin: 'static' });
    }
  });

  it('change with the configuration while connected', () => {
    const bench = ready();
    bench.command('AT+WSTA=1');
    bench.wait(100);
    expect(bench.command('AT+NETIFC=0,10,0')).to.equal('OK\r\n');
    expect(bench.stack.addresses).to.deep.equal([]);
    bench.command('AT+NETIFC=0,10,1');
    expect(bench.wait(100)).to.equal('\r+WSTAAIP:1,"192.168.0.20"\r\n');
  });
});
