/** CFG: the module's general configuration, and copies of all configuration. API reference, module CFG. */
import { type CommandName, commandByName, commands } from '../../../driver/protocol/catalogue/index.js';
import { StatusCode, type StatusName } from '../../../driver/protocol/catalogue/statuses.js';
import type { Scalar, Value } from '../../../driver/protocol/messages.js';
import { isTyped } from '../../../driver/protocol/wiretype.js';
import type { Board } from '../board.js';
import { type Archive, decodeArchive, encodeArchive, groupLength } from '../config-archive.js';
import { single } from '../config-command.js';
import { ConfigTable } from '../config-table.js';
import { build } from '../profile.js';
import type { Call, Outcome, Service } from '../service.js';
import { textOf } from '../values.js';

const UART1 = 1;
const ACTIVE = 0;
const SLOTS = 2;
/** The configuration file that is loaded at boot. */
const AUTOEXEC = 'autoexec';

type Place = { readonly slot: number } | { readonly file: string };

function placeOf(value: Value): Place | undefined {
  const plain: Scalar = isTyped(value) ? value.value : value;
  if (typeof plain === 'number') return plain >= 0 && plain <= SLOTS ? { slot: plain } : undefined;
  return typeof plain === 'string' || plain instanceof Uint8Array ? { file: textOf(plain) } : undefined;
}

export function cfg(board: Board): Service {
  const { configuration, files } = board;
  /** By number; they do not outlive a reset. */
  const slots = new Map<number, Archive>();
  let autoexec: StatusName = 'OK';

  const table: ConfigTable<'CFG'> = new ConfigTable('CFG', {
    defaults: { DEVICE_NAME: board.profile.model, CMD_TIMEOUT: 5000 },
    live: {
      VERSION: () => build.version,
      PATCH: () => build.patch,
      SECURITY: () => build.security,
      BUILD_HASH: () => build.hash.slice(0, 5),
      BUILD_TIME: () => build.time,
      CMD_PORT: () => UART1,
      CMD_BAUD: () => board.flash.baud,
      ARCHIVE_SLOTS: () => Array.from({ length: SLOTS }, (_, at) => slots.get(at + 1)?.time ?? 0),
      AUTOEXEC_STATUS: () => StatusCode[autoexec],
    },
    refuse(param, value, id) {
      if (param === 'CMD_BAUD' && value === 0) return 'INVALID_PARAMETER';
      if (param !== 'ARCHIVE_SLOTS') return undefined;
      // Nothing but emptying a slot makes sense.
      return value === 0 && typeof id !== 'number' ? undefined : 'INVALID_PARAMETER';
    },
    changed(param, id) {
      if (param === 'CMD_BAUD') board.setBaud(table.stored('CMD_BAUD') as number);
      if (param === 'ARCHIVE_SLOTS' && typeof id === 'object') slots.delete(id.frac);
    },
  });

  function filtered({ time, groups }: Archive): Archive {
    const filter = new Set(
      table.list('ARCHIVE_FILTER').map((entry) => {
        if (typeof entry === 'number') return entry;
        return commandByName(String(entry).replace(/^\+/, ''))?.id;
      }),
    );
    return { time, groups: groups.filter(({ command }) => !filter.has(commands[command].id)) };
  }

  function read(place: Place): Archive | StatusName {
    if ('file' in place) {
      const file = files.get('cfg', place.file);
      if (file === undefined) return 'FILE_NOT_FOUND';
      return decodeArchive(file) ?? 'FILE_SYSTEM_ERROR';
    }
    if (place.slot !== ACTIVE) return slots.get(place.slot) ?? 'CFG_NOT_PRESENT';
    const now = board.time.now() ?? board.clock.now();
    return { time: Math.max(1, Math.floor(now / 1000)), groups: configuration.changed() };
  }

  /** A file of that name is replaced. */
  function writeFile(name: string, archive: Archive): StatusName | undefined {
    const before = files.get('cfg', name);
    if (before !== undefined) files.delete('cfg', name);
    const refusal = files.put('cfg', name, encodeArchive(archive));
    if (refusal !== undefined && before !== undefined) files.put('cfg', name, before);
    return refusal;
  }

  function write(place: Place, archive: Archive): StatusName | undefined {
    if ('file' in place) return writeFile(place.file, archive);
    if (place.slot === ACTIVE) return configuration.restore(archive.groups);
    slots.set(place.slot, archive);
    return undefined;
  }

  function copy(call: Call<'CFGCP'>): Outcome {
    const source = placeOf(call.args.cfgsrc);
    const target = placeOf(call.args.cfgdst);
    if (source === undefined || target === undefined) return 'INVALID_PARAMETER';
    const fromActive = 'slot' in source && source.slot === ACTIVE;
    if ('file' in target && !fromActive) return 'INVALID_PARAMETER';
    if (fromActive && 'slot' in target && target.slot === ACTIVE) return 'INVALID_PARAMETER';
    const archive = read(source);
    if (typeof archive === 'string') return archive;
    const wanted = filtered(archive);
    const refusal = write(target, wanted);
    if (refusal !== undefined) return refusal;
    for (const group of wanted.groups) {
      const { id } = commands[group.command as CommandName];
      call.respond({
        form: 'COPY_EVENT',
        elements: { cmdId: id, numItems: group.items.length, itemLen: groupLength(group) },
      });
    }
    return undefined;
  }

  board.beforePrompt(() => {
    if (files.get('cfg', AUTOEXEC) === undefined) return;
    const archive = read({ file: AUTOEXEC });
    autoexec = typeof archive === 'string' ? archive : (configuration.restore(archive.groups) ?? 'OK');
  });

  return { config: { CFG: single(table) }, commands: { CFGCP: copy } };
}
