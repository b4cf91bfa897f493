/** WSCN: looking for networks. API reference, module WSCN. */
import { ScanMode, SecFilter, SecType } from '../../../driver/protocol/catalogue/wscn.js';
import { decodeText } from '../../../driver/protocol/text.js';
import type { Board } from '../board.js';
import { single } from '../config-command.js';
import { ConfigTable } from '../config-table.js';
import type { Beacon } from '../radio.js';
import type { Service } from '../service.js';

/** Top results kept for SCAN_RESULTS. */
const KEPT = 8;
/** Most networks reported by one scan. */
const MAX_RESULTS = 64;

const PERSONAL = {
  mixed: SecType.WPA2_PER_MM,
  wpa2: SecType.WPA2_PER,
  transition: SecType.WPA3_PER_TM,
  wpa3: SecType.WPA3_PER,
};
const ENTERPRISE = {
  mixed: SecType.WPA2_ENT_MM,
  wpa2: SecType.WPA2_ENT,
  transition: SecType.WPA3_ENT_TM,
  wpa3: SecType.WPA3_ENT,
};

interface Security {
  /** What a station should be set to. */
  readonly type: number;
  /** Bits of SEC_FILTER: a class, and the methods offered. */
  readonly kind: number;
  readonly methods: number;
}

/**
 * The recommended type is the strongest the access point surely supports: where WPA3 is offered beside WPA2, WPA3;
 * where WPA2 comes with protected management frames, the type that works with both. So the reference's example scan
 * and the public driver this firmware's scan is built on.
 */
function securityOf({ security, mfp = false }: Beacon): Security {
  if (security === 'open') return { type: SecType.OPEN, kind: SecFilter.OPEN, methods: 0 };
  if (security === 'unsupported') return { type: SecType.NA, kind: SecFilter.NA, methods: 0 };
  const personal = security.endsWith('-personal');
  const types = personal ? PERSONAL : ENTERPRISE;
  const kind = personal ? SecFilter.PERS : SecFilter.ENT;
  if (security.startsWith('wpa2-mixed')) return { type: types.mixed, kind, methods: SecFilter.WPA };
  if (security.startsWith('wpa3-transition')) {
    // An enterprise access point may offer WPA3 without its key management: only where MFP is required it is sure.
    return { type: personal ? types.wpa3 : types.transition, kind, methods: SecFilter.WPA2 | SecFilter.WPA3 };
  }
  if (security.startsWith('wpa3')) return { type: types.wpa3, kind, methods: SecFilter.WPA3 };
  return { type: mfp ? types.transition : types.wpa2, kind, methods: SecFilter.WPA2 };
}

function passes({ kind, methods }: Security, filter: number): boolean {
  return (filter & kind) !== 0 && (methods === 0 || (filter & methods) !== 0);
}

export function wscn(board: Board): Service {
  const { clock, radio, station, regulatory } = board;
  let scanning = false;
  let results: readonly Beacon[] = [];

  const indication = (beacon: Beacon) => ({
    rssi: beacon.rssi,
    secType: securityOf(beacon).type,
    channel: beacon.channel,
    bssid: beacon.bssid,
    ssid: decodeText(beacon.ssid),
  });

  // Slot times and counts are those of the public driver this firmware's scan is built on.
  const table: ConfigTable<'WSCNC'> = new ConfigTable('WSCNC', {
    defaults: {
      ACT_SLOT_TIME: 20,
      PASV_SLOT_TIME: 120,
      NUM_SLOTS: 2,
      PROBES_PER_SLOT: 2,
      SEC_FILTER: 0x77,
      ASYNC_NOTIFY: 1,
      CHANMASK24: 0x1fff,
    },
    alsoLegal: { CHANNEL: [0] },
    live: { SCAN_RESULTS: () => results.slice(0, KEPT).map((beacon) => Object.values(indication(beacon))) },
  });

  function channels(): number[] {
    const only = table.number('CHANNEL');
    const mask = only > 0 ? 1 << (only - 1) : table.number('CHANMASK24');
    const allowed = mask & regulatory.mask;
    return Array.from({ length: 14 }, (_, at) => at + 1).filter((channel) => allowed & (1 << (channel - 1)));
  }

  function wanted(beacon: Beacon, ssids: readonly Uint8Array[]): boolean {
    const threshold = table.number('RSSI_THRESH');
    if (threshold !== 0 && beacon.rssi < threshold) return false;
    if (ssids.length > 0 && !ssids.some((ssid) => Buffer.compare(ssid, beacon.ssid) === 0)) return false;
    return passes(securityOf(beacon), table.number('SEC_FILTER'));
  }

  function scan(active: boolean): void {
    const todo = channels();
    const ssids = table.list('FILT_LIST') as Uint8Array[];
    const slot = table.number(active ? 'ACT_SLOT_TIME' : 'PASV_SLOT_TIME');
    const dwell = slot * Math.max(1, table.number('NUM_SLOTS'));
    const found = new Map<string, Beacon>();
    scanning = true;

    const next = (): void => {
      const channel = todo.shift();
      if (channel === undefined) {
        finish([...found.values()]);
        return;
      }
      clock.setTimer(() => {
        for (const beacon of radio.hear(channel, active ? ssids : undefined)) {
          const better = (found.get(beacon.bssid)?.rssi ?? Number.NEGATIVE_INFINITY) < beacon.rssi;
          if (better && found.size < MAX_RESULTS && wanted(beacon, ssids)) found.set(beacon.bssid, beacon);
        }
        next();
      }, dwell);
    };
    next();
  }

  function finish(found: readonly Beacon[]): void {
    scanning = false;
    results = found.toSorted((a, b) => b.rssi - a.rssi);
    if (table.number('ASYNC_NOTIFY')) {
      for (const beacon of found) {
        board.emit({ name: 'WSCNIND', form: 'SCAN_INDICATOR', elements: indication(beacon) as never });
      }
    }
    board.emit({ name: 'WSCNDONE', form: 'SCAN_COMPLETE', elements: { numResults: found.length } });
  }

  return {
    config: { WSCNC: single(table) },
    commands: {
      WSCN({ args: { actPasv } }) {
        if (scanning || station.busy) return 'WIFI_API_REQUEST_FAILED';
        scan(actPasv === ScanMode.ACTIVE);
        return undefined;
      },
    },
  };
}
