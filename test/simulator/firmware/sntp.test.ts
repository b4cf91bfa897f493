import { expect } from 'chai';
import { Bench } from './support/bench.js';

/** A time server that answers every request; tells how many came. */
const serveTime = (bench: Bench, seconds = 3_909_622_842): { asked: string[] } => {
  const asked: string[] = [];
  bench.stack.onDatagram = (socket, data, to) => {
    if (to.port !== 123) return;
    asked.push(to.address);
    const answer = Buffer.alloc(48);
    answer[0] = 0x24;
    answer[1] = 2;
    Buffer.from(data).copy(answer, 24, 40, 48);
    answer.writeUInt32BE(seconds, 40);
    answer.writeUInt32BE(0x8000_0000, 44);
    bench.stack.later(() => socket.deliver(answer, to));
  };
  return { asked };
};

describe('SNTP', () => {
  it('asks the server DHCP names as soon as there is an address, and tells the time', () => {
    const bench = Bench.booted({
      prepare: (stack) => {
        stack.granted = { ...stack.granted, options: { ntpServers: ['192.168.0.9'] } };
      },
    });
    bench.command('ATE0');
    bench.command('AT+SNTPC=1,1');
    const { asked } = serveTime(bench);
    bench.join();
    expect(asked).to.deep.equal(['192.168.0.9']);
    expect(bench.command('AT+TIME=3')).to.equal('OK\r\n\r+TIME:"2023-11-22T06:20:42.57Z"\r\n');
  });

  it('comes after link and address', () => {
    const bench = Bench.booted();
    bench.command('ATE0');
    for (const line of ['AT+SNTPC=3,"192.0.2.1"', 'AT+SNTPC=2,1', 'AT+SNTPC=1,1']) bench.command(line);
    serveTime(bench);
    for (const line of ['AT+WSTAC=1,"MyAP"', 'AT+WSTAC=2,3', 'AT+WSTAC=3,"MyAPPSK"', 'AT+WSTA=1'])
      bench.command(line);
    expect(bench.wait(100)).to.match(/^\r\+WSTALU:.*\r\n\r\+WSTAAIP:.*\r\n\r\+TIME:3909622842\r\n$/);
  });

  it('tells the time once, although a second address comes later', () => {
    const bench = Bench.joined();
    const { asked } = serveTime(bench);
    for (const line of ['AT+SNTPC=3,"192.0.2.1"', 'AT+SNTPC=2,1', 'AT+SNTPC=1,1']) bench.command(line);
    bench.wait(10);
    bench.stack.addAddress('2001:db8::5', 64);
    expect(bench.wait(1_000)).to.equal('');
    expect(asked).to.have.length(1);
  });

  it('asks again after a while, sooner after a failure, and not when switched off', () => {
    const bench = Bench.joined();
    const { asked } = serveTime(bench);
    for (const line of ['AT+SNTPC=3,"192.0.2.1"', 'AT+SNTPC=2,1', 'AT+SNTPC=1,1']) bench.command(line);
    bench.wait(599_000);
    expect(asked).to.have.length(1);
    bench.wait(2_000);
    expect(asked).to.have.length(2);
    bench.stack.onDatagram = () => {};
    expect(bench.wait(605_000)).to.equal('\r+SNTPERR:13.0,"NTP Server Timeout"\r\n');
    serveTime(bench);
    expect(bench.wait(15_100)).to.equal('\r+TIME:3909622842\r\n');
    bench.command('AT+SNTPC=1,0');
    expect(bench.wait(2_000_000)).to.equal('');
  });

  it('tells a name that does not resolve as a server that does not answer', () => {
    const bench = Bench.joined();
    for (const line of ['AT+SNTPC=3,"no.such.name"', 'AT+SNTPC=2,1', 'AT+SNTPC=1,1']) bench.command(line);
    expect(bench.wait(11_000)).to.equal('\r+SNTPERR:13.0,"NTP Server Timeout"\r\n');
  });
});

describe('NETIF lease', () => {
  it('is told with server, gateway and times, once the time is known', () => {
    const bench = Bench.booted();
    bench.command('ATE0');
    bench.command('AT+TIME=1,1000000');
    bench.join();
    const all = bench.command('AT+NETIFC=0');
    expect(all).to.contain('+NETIFC:13,"192.168.0.1"\r\n').and.contain('+NETIFC:41,"192.168.0.1"\r\n');
    const [, start] = /\+NETIFC:11,(\d+)/.exec(all) ?? [];
    expect(Number(start)).to.be.within(1_000_000, 1_000_001);
    expect(all).to.contain(`+NETIFC:12,${Number(start) + 3600}\r\n`);
  });
});
