/** TLS: the configurations and the lists of cipher suites. API reference, module TLS. */
import type { Board } from '../board.js';
import { runConfigCommand } from '../config-command.js';
import type { ConfigSource, Service } from '../service.js';
import { bytesOf } from '../values.js';

export function tls({ tls: { configurations, suites } }: Board): Service {
  const source: ConfigSource<'TLSC'> = {
    table: (index) => configurations.get(index ?? 0)?.table ?? 'INVALID_PARAMETER',
    instances: () => [...configurations.keys()],
  };
  return {
    commands: {
      TLSC(call) {
        const { args } = call;
        if (!('digest' in args) || args.digest === undefined)
          return runConfigCommand('TLSC', source, call as never);
        return configurations.get(args.conf)?.setDigest(bytesOf(args.digest), args.algo);
      },
    },
    config: {
      TLSCSC: {
        table: (index) => suites.get(index ?? 0) ?? 'INVALID_PARAMETER',
        instances: () => [...suites.keys()],
      },
    },
  };
}
