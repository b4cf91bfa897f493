/** A module's files as files of the host: `DIR/<type>/<name>`. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WincError } from '../driver/protocol/errors.js';
import { decodeText, encodeText } from '../driver/protocol/text.js';
import { type FileBacking, type FileType, fileTypes, type StoredFile } from './firmware/files.js';

/** Whatever a module's file may be called, its name stays inside the directory: other bytes are written `%XX`. */
const hostName = (name: string): string =>
  Array.from(encodeText(name), (byte, at) => {
    const char = String.fromCharCode(byte);
    const plain = /[\w-]/.test(char) || (char === '.' && at > 0);
    return plain ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');

const moduleName = (name: string): string =>
  decodeText(
    Buffer.from(
      Buffer.from(name)
        .toString('latin1')
        .replace(/%([\dA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
      'latin1',
    ),
  );

/**
 * The directory is made if need be; what is in it at the start are the module's files.
 * @throws WincError `WINC_ARGUMENT` when it cannot be read or written
 */
export function fileDirectory(directory: string): FileBacking {
  const types = Object.keys(fileTypes) as FileType[];
  const files: StoredFile[] = [];
  try {
    for (const type of types) {
      const folder = join(directory, type);
      mkdirSync(folder, { recursive: true });
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        if (!entry.isFile() || entry.name.startsWith('.')) continue;
        files.push({ type, name: moduleName(entry.name), data: readFileSync(join(folder, entry.name)) });
      }
    }
  } catch (cause) {
    throw new WincError('WINC_ARGUMENT', `file directory ${directory}: ${(cause as Error).message}`, {
      cause,
    });
  }
  return {
    load: () => files,
    write({ type, name, data }) {
      const path = join(directory, type, hostName(name));
      const unfinished = join(directory, type, '.unfinished');
      writeFileSync(unfinished, data, { mode: 0o600 });
      renameSync(unfinished, path);
    },
    remove: ({ type, name }) => rmSync(join(directory, type, hostName(name)), { force: true }),
  };
}
