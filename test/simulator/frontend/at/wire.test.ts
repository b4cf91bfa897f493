import { expect } from 'chai';
import { fastTimings, realisticTimings } from '../../../../simulator/firmware/profile.js';
import { Bench } from '../../firmware/support/bench.js';

const BANNER = '\r+BOOT:"RNWF - AT Command Interface 3.2.0 (c) 2026 Microchip Technology Inc"\r\n';

/** Raises an event at a moment of the test's choice. */
const raise = (bench: Bench): void => {
  bench.radio.accessPoints = [];
  bench.radio.association.lost();
};

describe('AT wire: echo and prompt', () => {
  it('echoes every character as it comes', () => {
    const bench = Bench.booted();
    for (const character of 'AT+GMM\r') {
      bench.type(character);
      expect(bench.take()).to.equal(character);
    }
    bench.type('\n');
    expect(bench.take()).to.equal('\n+GMM:"RNWF02"\r\nOK\r\n>');
  });

  it('drops echo and prompt after ATE0, whose own line is still echoed', () => {
    const bench = Bench.booted();
    expect(bench.command('ATE0')).to.equal('ATE0\r\nOK\r\n');
    expect(bench.command('AT')).to.equal('OK\r\n');
    expect(bench.command('ATE1')).to.equal('OK\r\n>');
  });

  it('has echo on again after every reset', () => {
    const bench = Bench.booted();
    bench.command('ATE0');
    expect(bench.command('AT+RST')).to.equal('OK\r\n');
    expect(bench.wait(fastTimings.boot)).to.equal(`${BANNER}>`);
    expect(bench.command('AT')).to.equal('AT\r\nOK\r\n>');
  });

  it('answers an empty line with nothing but a prompt', () => {
    const bench = Bench.booted();
    expect(bench.command('')).to.equal('\r\n>');
    bench.command('ATE0');
    expect(bench.command('')).to.equal('');
  });
});

describe('AT wire: lines', () => {
  it('ends a line at LF, with or without CR; CR alone ends nothing', () => {
    const bench = Bench.booted();
    bench.type('AT\n');
    expect(bench.take()).to.equal('AT\nOK\r\n>');
    bench.type('AT\r');
    expect(bench.take()).to.equal('AT\r');
    expect(bench.wait(5000)).to.equal('');
    bench.type('\n');
    expect(bench.take()).to.equal('\nOK\r\n>');
  });

  it('overwrites from the start of the line after a CR', () => {
    const bench = Bench.booted();
    bench.type('XX\rAT\n');
    expect(bench.take()).to.equal('XX\rAT\nOK\r\n>');
  });

  it('takes back a character for a backspace', () => {
    const bench = Bench.booted();
    bench.type('AX\bT\r\n');
    expect(bench.take()).to.equal('AX\x1b[D\x1b[KT\r\nOK\r\n>');
    bench.type('\b\x7fAT\r\n');
    expect(bench.take()).to.equal('AT\r\nOK\r\n>');
  });

  it('recalls lines with the arrow keys while the echo is on', () => {
    const bench = Bench.booted();
    bench.command('AT+GMM');
    bench.command('AT');
    bench.type('\x1b[A\x1b[A');
    expect(bench.take()).to.equal('\x1b[2K\r>AT\x1b[2K\r>AT+GMM');
    bench.type('\r\n');
    expect(bench.take()).to.equal('\r\n+GMM:"RNWF02"\r\nOK\r\n>');
    bench.command('ATE0');
    bench.type('\x1b[A\r\n');
    expect(bench.take()).to.equal('');
  });

  it('ignores NUL bytes, as they appear around a reset', () => {
    const bench = Bench.booted();
    bench.type('\0\0AT\0\r\n\0');
    expect(bench.take()).to.equal('AT\r\nOK\r\n>');
  });

  it('takes two lines in one write, a wrong one first', () => {
    const bench = Bench.booted();
    bench.type('!\r\nAT\r\n');
    expect(bench.take()).to.equal('!\r\nERROR:0.2,"Invalid AT Command"\r\n>AT\r\nOK\r\n>');
  });

  it('takes lines as long as AT+NVMWR and AT+SOCKWR can be, and starts over beyond its limit', () => {
    const bench = Bench.joined();
    const { id, connection } = bench.connect();
    const data = 'AB'.repeat(1460);
    expect(bench.command(`AT+SOCKWR=${id},1460,[${data}]`)).to.equal('OK\r\n');
    expect(connection.written).to.have.length(1460);
    bench.command('ATE1');
    bench.type('A'.repeat(5000));
    const echoed = bench.take();
    expect(echoed).to.have.length(5001);
    expect(echoed[4095]).to.equal('>');
    bench.type('\r\n');
    expect(bench.take()).to.equal('\r\nERROR:0.2,"Invalid AT Command"\r\n>');
  });
});

describe('AT wire: commands', () => {
  const quiet = (): Bench => {
    const bench = Bench.booted();
    bench.command('ATE0');
    return bench;
  };

  it('wants AT in upper case, and says so with 0.2; an unknown name is 0.3', () => {
    const bench = quiet();
    expect(bench.command('at')).to.equal('ERROR:0.2,"Invalid AT Command"\r\n');
    expect(bench.command('AT+gmr')).to.equal('ERROR:0.3,"Unknown AT Command"\r\n');
    expect(bench.command('ATX')).to.equal('ERROR:0.3,"Unknown AT Command"\r\n');
  });

  it('chains basic commands and one extended command', () => {
    const bench = quiet();
    expect(bench.command('ATV3E1')).to.equal('OK\r\n>');
    expect(bench.command('ATE0V2+NOPE')).to.equal('ATE0V2+NOPE\r\nERROR\r\n');
    expect(bench.command('ATV5M1+WSTA')).to.equal('+14.01:0\r\nOK\r\n');
    expect(bench.command('AT+14.01')).to.equal('+14.01:0\r\nOK\r\n');
    expect(bench.command('ATM0+14.01')).to.equal('+WSTA:0\r\nOK\r\n');
  });

  const levels = [
    ['0', '1'],
    ['0', '1:0.4'],
    ['OK', 'ERROR'],
    ['OK', 'ERROR:0.4'],
    ['OK', 'ERROR:"Invalid Parameter"'],
    ['OK', 'ERROR:0.4,"Invalid Parameter"'],
  ];
  for (const [level, [good, bad]] of levels.entries()) {
    it(`answers at ATV${level} in the new form`, () => {
      const bench = quiet();
      expect(bench.command(`ATV${level}`)).to.equal(`${good}\r\n`);
      expect(bench.command('AT+WSTA=7')).to.equal(`${bad}\r\n`);
      expect(bench.command(`ATV${level}+WSTA=7`)).to.equal(`${bad}\r\n`);
    });
  }

  it('prints strings as ATF says, empty ones always as []', () => {
    const bench = quiet();
    bench.command('AT+WSTAC=1,"A\\tB"');
    expect(bench.command('AT+WSTAC=1')).to.equal('+WSTAC:1,"A\\tB"\r\nOK\r\n');
    bench.command('ATF4');
    expect(bench.command('AT+WSTAC=1')).to.equal('+WSTAC:1,[410942]\r\nOK\r\n');
    bench.command('ATF5');
    expect(bench.command('AT+WSTAC=1')).to.equal('+WSTAC:1,[410942]\r\nOK\r\n');
    bench.command('ATF6');
    expect(bench.command('AT+WSTAC=1')).to.equal('+WSTAC:1,"A\\tB"\r\nOK\r\n');
  });

  it('takes numbers in every base, hexadecimal in upper case too, and spaces before parameters', () => {
    const bench = quiet();
    for (const written of ['0x77', '0X77', '0b1110111', '0o167', ' 119']) {
      expect(bench.command(`AT+WSCNC=7, ${written}`)).to.equal('OK\r\n');
      expect(bench.command('AT+WSCNC=7')).to.equal('+WSCNC:7,0x77\r\nOK\r\n');
    }
  });

  it('takes a name with "=" and nothing after as without parameters', () => {
    expect(quiet().command('AT+WSTA=')).to.equal('+WSTA:0\r\nOK\r\n');
  });

  it('brings any SSID through byte for byte', () => {
    const bench = quiet();
    const ssid = Buffer.from('"\\\r\n\0é#>\x7f', 'utf8');
    expect(bench.command(`AT+WSTAC=1,[${ssid.toString('hex')}]`)).to.equal('OK\r\n');
    bench.command('AT+WSTAC=2,0');
    bench.radio.accessPoints = [
      { ssid: ssid.toString('utf8'), bssid: 'AA:AA:AA:AA:AA:AA', channel: 1, rssi: -30, security: 'open' },
    ];
    bench.command('AT+WSTA=1');
    expect(bench.wait(100)).to.contain('+WSTALU:1,"AA:AA:AA:AA:AA:AA",1');
    expect(Buffer.from(bench.radio.requests[0].ssid)).to.deep.equal(ssid);
  });
});

describe('AT wire: events', () => {
  it('sends an event as CR, text, CR LF, and a prompt if the echo is on', () => {
    const bench = Bench.joined();
    raise(bench);
    expect(bench.take()).to.equal('\r+WSTALD:1\r\n');
    bench.radio.accessPoints = [
      { ssid: 'MyAP', bssid: '00:00:00:00:00:01', channel: 1, rssi: -1, security: 'open' },
    ];
    bench.command('AT+WSTAC=2,0');
    bench.command('ATE1+WSTA=1');
    bench.wait(100);
    raise(bench);
    expect(bench.take()).to.equal('\r+WSTALD:2\r\n>');
  });

  it('sends one between typed characters', () => {
    const bench = Bench.joined();
    bench.command('ATE1');
    bench.type('AT+G');
    raise(bench);
    bench.type('MM\r\n');
    expect(bench.take()).to.equal('AT+G\r+WSTALD:1\r\n>MM\r\n+GMM:"RNWF02"\r\nOK\r\n>');
  });

  it('sends none between command and status', () => {
    const bench = Bench.joined();
    expect(bench.command('AT+WSTA=0')).to.equal('OK\r\n\r+WSTALD:1\r\n');
  });

  it('expands an error element by verbosity', () => {
    const failed = (level: number): string => {
      const bench = Bench.booted();
      bench.command(`ATE0V${level}`);
      bench.command('AT+WSTAC=1,"nowhere"');
      bench.command('AT+WSTA=1');
      return bench.wait(1000);
    };
    expect(failed(3)).to.equal('\r+WSTAERR:20.3\r\n');
    expect(failed(4)).to.equal('\r+WSTAERR:"STA Connection Failed"\r\n');
    expect(failed(5)).to.equal('\r+WSTAERR:20.3,"STA Connection Failed"\r\n');
  });
});

describe('AT wire: boot', () => {
  it('prints the banner as an event, then the prompt, and hears nothing before', () => {
    const bench = new Bench();
    bench.firmware.powerUp();
    bench.type('AT\r\n');
    expect(bench.wait(fastTimings.boot - 1)).to.equal('');
    expect(bench.wait(1)).to.equal(`${BANNER}>`);
    expect(bench.command('AT')).to.equal('AT\r\nOK\r\n>');
  });

  it('takes as long as a real module if told to', () => {
    const bench = new Bench({ timings: realisticTimings });
    bench.firmware.powerUp();
    expect(bench.wait(3800)).to.equal('');
    expect(bench.wait(300)).to.equal(`${BANNER}>`);
  });

  it('answers AT+RST before it resets, and forgets what was typed', () => {
    const bench = Bench.booted();
    expect(bench.command('AT+RST')).to.equal('AT+RST\r\nOK\r\n>');
    bench.type('AT');
    bench.wait(fastTimings.boot);
    expect(bench.command('AT')).to.equal('AT\r\nOK\r\n>');
  });

  it('keeps the speed of AT+IPR over a reset', () => {
    const bench = Bench.booted();
    expect(bench.command('AT+IPR')).to.contain('+IPR:230400\r\n');
    expect(bench.command('AT+IPR=115200')).to.contain('OK');
    bench.firmware.hardReset();
    bench.wait(fastTimings.boot);
    expect(bench.command('AT+IPR')).to.contain('+IPR:115200\r\n');
  });
});
