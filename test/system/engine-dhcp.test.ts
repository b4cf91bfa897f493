/** Our DHCP client with dnsmasq, busybox's client with our server. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { systemClock } from '../../simulator/tcpip/clock.js';
import { DhcpServer } from '../../simulator/tcpip/dhcp/index.js';
import { createStack, type EngineStack } from '../../simulator/tcpip/stack.js';
import { KernelNetwork, needs } from './support/namespace.js';

describe('DHCP with foreign peers', function () {
  this.timeout(30_000);
  let folder: string;
  let network: KernelNetwork | undefined;
  let stack: EngineStack | undefined;
  before(function () {
    needs(this, 'ip', 'dnsmasq', 'busybox');
    folder = mkdtempSync(join(tmpdir(), 'engine-dhcp-'));
  });
  after(() => folder && rmSync(folder, { recursive: true }));
  afterEach(async () => {
    stack?.close();
    await network?.close();
  });

  for (const rapid of [[], ['--dhcp-rapid-commit']]) {
    it(`our client is given address, router and name server by dnsmasq${rapid.length > 0 ? ' at once' : ''}`, async () => {
      network = new KernelNetwork();
      const { name } = network;
      const range = ['--dhcp-range=10.88.0.50,10.88.0.60,1h', '--dhcp-option=option:dns-server,10.88.0.9'];
      const files = [
        '--conf-file=/dev/null',
        `--dhcp-leasefile=${folder}/leases${rapid.length}`,
        '--pid-file=',
      ];
      const server = network.spawn('dnsmasq', [
        '-k',
        '--port=0',
        '--no-ping',
        `--interface=${name}`,
        ...range,
        ...files,
        ...rapid,
      ]);
      server.stderr?.resume();
      while ((await network.run('ss', ['-Hlnu', 'sport = :67'])).stdout.length === 0);
      const made = createStack({ link: network.tap });
      stack = made;
      const bound = new Promise<void>((resolve) => {
        made.onAddressChange = () => {
          if (made.addresses.some(({ origin }) => origin === 'dhcp')) resolve();
        };
      });
      made.startDhcp({ hostname: 'engine' });
      await bound;
      expect(made.addresses[0].address).to.match(/^10\.88\.0\.(5\d|60)$/);
      expect(made.nameServers).to.deep.equal(['10.88.0.9']);
      const reply = await network.run('ping', ['-c', '1', '-W', '2', made.addresses[0].address]);
      expect(reply.code, reply.stdout.toString()).to.equal(0);
    });
  }

  it('busybox’s client is given a lease by our server, with every option it asks for', async () => {
    network = new KernelNetwork();
    const made = createStack({ link: network.tap });
    stack = made;
    made.addAddress('10.88.0.2', 24);
    const log: string[] = [];
    const server = new DhcpServer(made, {
      clock: systemClock,
      address: '10.88.0.2',
      prefix: 24,
      pool: ['10.88.0.100', '10.88.0.110'],
      leaseSeconds: 3600,
      options: { nameServers: ['10.88.0.3'], domain: 'lab.example', ntpServers: ['10.88.0.4'] },
      changed: (what, _client, address) => log.push(`${what} ${address}`),
    });
    const script = join(folder, 'script');
    writeFileSync(
      script,
      '#!/bin/sh\necho "$1 ip=$ip mask=$subnet router=$router dns=$dns domain=$domain ntp=$ntpsrv lease=$lease"\n',
    );
    chmodSync(script, 0o755);
    const { stdout, stderr } = await network.run('busybox', [
      'udhcpc',
      '-f',
      '-q',
      '-n',
      '-i',
      network.name,
      '-s',
      script,
      '-O',
      'ntpsrv',
    ]);
    expect(stdout.toString(), stderr).to.include(
      'bound ip=10.88.0.100 mask=255.255.255.0 router=10.88.0.2 dns=10.88.0.3 domain=lab.example ntp=10.88.0.4 lease=3600',
    );
    expect(log[0]).to.equal('bound 10.88.0.100');
    expect([...server.leases.values()]).to.deep.equal(['10.88.0.100']);
    server.close();
  });
});
