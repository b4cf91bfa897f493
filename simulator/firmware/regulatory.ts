/** AT+WIFIC, and what it means to scanning and joining: the channels the selected domain allows. */
import { ConfigTable } from './config-table.js';

/** Bit masks of 2.4 GHz channels, bit 0 = channel 1. Names and channels as the module's users know them. */
const domains: Readonly<Record<string, number>> = {
  GEN: 0x1fff,
  USA: 0x07ff,
  EMEA: 0x1fff,
  JPN: 0x1fff,
  ROW: 0x1fff,
};
const DEFAULT_DOMAIN = 'GEN';

export class Regulatory {
  readonly config: ConfigTable<'WIFIC'> = new ConfigTable('WIFIC', {
    defaults: {
      REGDOMAIN_SELECTED: DEFAULT_DOMAIN,
      POWERSAVE_LISTEN_INTERVAL: 3,
      POWERSAVE_INACT_LIMIT: 10,
    },
    live: {
      REGDOMAIN_AVAILABLE: () => Object.keys(domains),
      REGDOMAIN_CHANMASK24: () => this.mask,
    },
    refuse: (param, value) =>
      param === 'REGDOMAIN_SELECTED' && !((value as string) in domains) ? 'INVALID_PARAMETER' : undefined,
  });

  /** Allowed channels, bit 0 = channel 1. */
  get mask(): number {
    return domains[this.config.text('REGDOMAIN_SELECTED') ?? DEFAULT_DOMAIN];
  }
}
