/**
 * FS: files and their transfer by FS-TSFR. The other transfer protocols are the AT wire's own business: its front end
 * comes here with FS-TSFR too. API reference, module FS.
 */
import { FileOperation, TransferProtocol } from '../../../driver/protocol/catalogue/fs.js';
import type { Board } from '../board.js';
import { LoadTransfer, StoreTransfer, Transfers } from '../file-transfer.js';
import { type FileType, fileTypeOf, fileTypes } from '../files.js';
import type { Call, Outcome, Service } from '../service.js';
import { bytesOf } from '../values.js';

export function fs(board: Board): Service {
  const { files } = board;
  const transfers = new Transfers(1 + Math.floor(board.random() * 0xffff));

  function respondHandle(call: Call<'FS'>, op: number, handle: number): void {
    call.respond({ form: 'FS_TSFR_RESPONSE', elements: { op, tsfrHandle: handle } });
  }

  function list(call: Call<'FS'>, type: FileType | undefined, name: string | undefined): Outcome {
    const found = files.list(type).filter((file) => !name || file.name === name);
    if (name && found.length === 0) return 'FILE_NOT_FOUND';
    for (const file of found) {
      call.respond({
        form: 'LIST_OPERATION_RESPONSE',
        elements: { op: FileOperation.LIST, filetype: fileTypes[file.type], filename: file.name },
      });
    }
    return undefined;
  }

  function beginLoad(call: Call<'FS'>, type: FileType, name: string | undefined, length: number): Outcome {
    if (name === undefined || length === 0) return 'INCORRECT_NUM_PARAMS';
    if (transfers.full) return 'FILE_CREATE_FAILED';
    const room = files.reserve(type, name, length);
    if (typeof room === 'string') return room;
    const handle = transfers.add(new LoadTransfer(type, name, length, room));
    respondHandle(call, FileOperation.LOAD, handle);
    return undefined;
  }

  function beginStore(call: Call<'FS'>, type: FileType, name: string): Outcome {
    const data = files.get(type, name);
    if (data === undefined) return 'FILE_NOT_FOUND';
    // What the module signs with stays in the module.
    if (type === 'key') return 'ACCESS_DENIED';
    if (transfers.full) return 'FILE_CREATE_FAILED';
    respondHandle(call, FileOperation.STORE, transfers.add(new StoreTransfer(data)));
    return undefined;
  }

  function operate(call: Call<'FS'>): Outcome {
    const args = call.args as FsArgs;
    const type = args.filetype === undefined ? undefined : fileTypeOf(args.filetype);
    const { op, filename } = args;
    if (op === FileOperation.INFO) {
      const elements = { op, freeSpace: files.freeSpace, freeHandles: files.freeHandles };
      call.respond({ form: 'INFORMATION_OPERATION_RESPONSE', elements });
      return undefined;
    }
    if (op === FileOperation.LIST) return list(call, type, filename);
    if (type === undefined) return 'INCORRECT_NUM_PARAMS';
    if (op === FileOperation.DEL) {
      return filename === undefined ? 'INCORRECT_NUM_PARAMS' : files.delete(type, filename);
    }
    if (args.tsfrprot !== TransferProtocol.TSFR) return 'TSFR_PROTOCOL_NOT_SUPPORTED';
    if (op === FileOperation.LOAD) return beginLoad(call, type, filename, args.filelength ?? 0);
    return filename === undefined ? 'INCORRECT_NUM_PARAMS' : beginStore(call, type, filename);
  }

  function loadBlock(
    call: Call<'FSTSFR'>,
    transfer: LoadTransfer,
    { tsfrHandle, blockNum, data, dataLength, crc }: TransferArgs,
  ): Outcome {
    if (dataLength !== undefined) return 'INVALID_PARAMETER';
    if (data === undefined) {
      transfers.end(tsfrHandle);
      return undefined;
    }
    const before = transfer.finished;
    const refusal = transfer.write(blockNum, bytesOf(data), crc);
    if (refusal !== undefined) return refusal;
    report(call, tsfrHandle, transfer);
    if (transfer.finished && !before) {
      const { type, name: filename, length: filelength } = transfer;
      const elements = { op: FileOperation.LOAD, filetype: fileTypes[type], filename, filelength };
      board.emit({ name: 'FSUP', form: 'FILESYSTEM_LOAD', elements });
    }
    return undefined;
  }

  function storeBlock(
    call: Call<'FSTSFR'>,
    transfer: StoreTransfer,
    { tsfrHandle, blockNum, data, dataLength }: TransferArgs,
  ): Outcome {
    if (data !== undefined) return 'INVALID_PARAMETER';
    // A block beyond the end, or none: the host is through.
    if (dataLength === undefined && (blockNum === 0 || transfer.finished)) {
      transfers.end(tsfrHandle);
      return undefined;
    }
    const block = transfer.read(blockNum, dataLength);
    if (typeof block === 'string') return block;
    call.respond({
      form: 'FS_TSFR_STORE_RESPONSE',
      elements: { tsfrHandle, blockNum, bytesRemain: block.remaining, data: block.data },
    } as never);
    return undefined;
  }

  function report(call: Call<'FSTSFR'>, handle: number, { progress }: LoadTransfer | StoreTransfer): void {
    call.respond({
      form: 'FS_TSFR_LOAD_RESPONSE',
      elements: { tsfrHandle: handle, blockNum: progress.block, bytesRemain: progress.remaining },
    });
  }

  return {
    commands: {
      FS: operate,
      FSTSFR(call) {
        const args = call.args as Partial<TransferArgs>;
        const { tsfrHandle, blockNum } = args;
        if (tsfrHandle === undefined) {
          for (const [handle, transfer] of transfers.unfinished) report(call, handle, transfer);
          return undefined;
        }
        const transfer = transfers.get(tsfrHandle);
        if (transfer === undefined) return 'INVALID_PARAMETER';
        if (blockNum === undefined) {
          report(call, tsfrHandle, transfer);
          return undefined;
        }
        const block = { ...args, tsfrHandle, blockNum };
        return transfer instanceof LoadTransfer
          ? loadBlock(call, transfer, block)
          : storeBlock(call, transfer, block);
      },
    },
  };
}

/** The forms of FS in one. */
interface FsArgs {
  readonly op: number;
  readonly filetype?: number;
  readonly tsfrprot?: number;
  readonly filename?: string;
  readonly filelength?: number;
}
/** FSTSFR and FSRECV in one. */
interface TransferArgs {
  readonly tsfrHandle: number;
  readonly blockNum: number;
  readonly data?: string | Uint8Array;
  readonly crc?: number;
  readonly dataLength?: number;
}
