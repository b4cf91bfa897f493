/** NVM: raw access to the alternate firmware partition. API reference, module NVM. */
import { createHash } from 'node:crypto';
import { CheckMode } from '../../../driver/protocol/catalogue/nvm.js';
import { crc16 } from '../../crc16.js';
import type { Board } from '../board.js';
import { single } from '../config-command.js';
import { ConfigTable } from '../config-table.js';
import { NVM_SIZE, SECTOR_SIZE, SECTORS } from '../nvm.js';
import type { Service } from '../service.js';
import { bytesOf } from '../values.js';

const algorithms = new Map<number, string>([
  [CheckMode.SHA, 'sha1'],
  [CheckMode.SHA224, 'sha224'],
  [CheckMode.SHA256, 'sha256'],
  [CheckMode.SHA384, 'sha384'],
  [CheckMode.SHA512, 'sha512'],
]);

function digest(data: Uint8Array, mode: number): Uint8Array | number {
  const algorithm = algorithms.get(mode);
  return algorithm === undefined ? crc16(data) : createHash(algorithm).update(data).digest();
}

export function nvm(board: Board): Service {
  const { clock, flash, timings } = board;
  let erasing = false;

  const table = new ConfigTable('NVMC', {
    defaults: { NUM_SECTORS: SECTORS, SECTOR_SZ: SECTOR_SIZE, CHECK_MODE: CheckMode.CRC16 },
  });
  const inside = (offset: number, length: number): boolean => offset + length <= NVM_SIZE;

  return {
    config: { NVMC: single(table) },
    commands: {
      NVMER({ args: { sectorOffset, sectors } }) {
        if (sectorOffset + sectors > SECTORS) return 'INVALID_PARAMETER';
        if (flash.nvm.locked) return 'NVM_LOCKED';
        if (erasing) return 'ERROR';
        erasing = true;
        clock.setTimer(() => {
          erasing = false;
          flash.nvm.alternate.erase(sectorOffset, sectors);
          board.emit({ name: 'NVMER', form: 'NVM_ERASE_SUCCESS', elements: {} });
        }, sectors * timings.sectorErase);
        return undefined;
      },
      NVMWR({ args: { offset, length, data } }) {
        const bytes = bytesOf(data);
        const crosses = (offset % SECTOR_SIZE) + length > SECTOR_SIZE;
        if (bytes.length !== length || crosses) return 'INVALID_PARAMETER';
        if (flash.nvm.locked) return 'NVM_LOCKED';
        if (erasing) return 'ERROR';
        flash.nvm.alternate.write(offset, bytes);
        return undefined;
      },
      NVMRD(call) {
        const { offset, length } = call.args;
        if (!inside(offset, length)) return 'INVALID_PARAMETER';
        const data = flash.nvm.alternate.read(offset, length);
        call.respond({ form: 'READ_RESPONSE', elements: { offset, length, data } });
        return undefined;
      },
      NVMCHK({ args: { offset, length } }) {
        if (!inside(offset, length)) return 'INVALID_PARAMETER';
        const checkMode = table.number('CHECK_MODE');
        const hash = digest(flash.nvm.alternate.read(offset, length), checkMode);
        board.emit({
          name: 'NVMCHK',
          form: 'HASH_RESPONSE',
          elements: { offset, length, checkMode, hash } as never,
        });
        return undefined;
      },
    },
  };
}
