/** Responses, events and statuses as AT text, from the module's end. None includes the line's CR LF. */
import { commandByName, eventByName } from '../catalogue/index.js';
import type { Event, Response, Status } from '../messages.js';
import type { CommandSpec, EventSpec, MessageForm } from '../spec.js';
import { formatElements } from './elements.js';
import type { AtFormat } from './format.js';
import { formatStatus } from './status.js';

const twoDigits = (value: number): string => value.toString(16).toUpperCase().padStart(2, '0');

function nameOf({ id, name }: CommandSpec | EventSpec, format: AtFormat): string {
  return format.numeric ? `+${twoDigits(id >> 8)}.${twoDigits(id & 0xff)}` : `+${name}`;
}

function line(name: string, form: MessageForm, texts: string[]): string {
  return form.elements.length === 0 || texts.length === 0 ? name : `${name}:${texts.join(',')}`;
}

/**
 * An information line. Elements left undefined are left out.
 *
 * @throws TypeError if the catalogue has no such command or form
 */
export function encodeResponse(response: Omit<Response, 'kind' | 'seq'>, format: AtFormat): string {
  const spec = commandByName(response.command);
  const form = spec?.response.get(response.form);
  if (!spec || !form) throw new TypeError(`no response ${response.command} ${response.form}`);
  return line(nameOf(spec, format), form, formatElements(form, response.elements, spec.config, format));
}

/**
 * An event; it is sent with a CR in front.
 *
 * @throws TypeError if the catalogue has no such event or form
 */
export function encodeEvent(event: Omit<Event, 'kind'>, format: AtFormat): string {
  const spec = eventByName(event.name);
  const form = spec?.form.get(event.form);
  if (!spec || !form) throw new TypeError(`no event ${event.name} ${event.form}`);
  const config = commandByName(event.name)?.config;
  return line(nameOf(spec, format), form, formatElements(form, event.elements, config, format));
}

/** A status line, or with `asynchronous` the failure of a command accepted before (`+SOCKBR:ERROR:14.7`). */
export function encodeStatus(status: Omit<Status, 'kind' | 'seq'>, format: AtFormat): string {
  const text = formatStatus(status.code, format, status.text);
  const spec = status.asynchronous && status.command ? commandByName(status.command) : undefined;
  return spec ? `${nameOf(spec, format)}:${text}` : text;
}
