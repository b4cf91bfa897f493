/**
 * Everything the module understands and says: one file per module of the firmware. Look-ups here are maps built
 * once.
 */
import type { FormArgs, FormElements } from '../infer.js';
import type { Event, Response } from '../messages.js';
import type { ModuleDecl } from '../schema.js';
import { type CommandSpec, commandSpec, type EventSpec, eventSpec } from '../spec.js';
import { ARB } from './arb.js';
import { ASSOC } from './assoc.js';
import { CFG } from './cfg.js';
import { CORE } from './core.js';
import { DFU } from './dfu.js';
import { DHCP } from './dhcp.js';
import { DI } from './di.js';
import { DNS } from './dns.js';
import { EXTCRYPTO } from './extcrypto.js';
import { FS } from './fs.js';
import { HTTP } from './http.js';
import { INTERNAL } from './internal.js';
import { MQTT } from './mqtt.js';
import { NETIF } from './netif.js';
import { NVM } from './nvm.js';
import { OTA } from './ota.js';
import { PING } from './ping.js';
import { PPS } from './pps.js';
import { RST } from './rst.js';
import { SI } from './si.js';
import { SNTP } from './sntp.js';
import { SOCKET } from './socket.js';
import { SYSLOG } from './syslog.js';
import { SYSTEM } from './system.js';
import { TIME } from './time.js';
import { TLS } from './tls.js';
import { WAP } from './wap.js';
import { WIFI } from './wifi.js';
import { WPROV } from './wprov.js';
import { WSCN } from './wscn.js';
import { WSTA } from './wsta.js';

export const modules = [
  CORE,
  SYSTEM,
  INTERNAL,
  CFG,
  DHCP,
  DNS,
  FS,
  MQTT,
  NETIF,
  OTA,
  PING,
  RST,
  SNTP,
  SOCKET,
  TIME,
  TLS,
  WAP,
  WSCN,
  WSTA,
  ASSOC,
  SI,
  WPROV,
  DI,
  EXTCRYPTO,
  WIFI,
  NVM,
  DFU,
  PPS,
  SYSLOG,
  ARB,
  HTTP,
] as const satisfies readonly ModuleDecl[];

const commandDecls = {
  ...INTERNAL.commands,
  ...CFG.commands,
  ...DHCP.commands,
  ...DNS.commands,
  ...FS.commands,
  ...MQTT.commands,
  ...NETIF.commands,
  ...OTA.commands,
  ...PING.commands,
  ...RST.commands,
  ...SNTP.commands,
  ...SOCKET.commands,
  ...TIME.commands,
  ...TLS.commands,
  ...WAP.commands,
  ...WSCN.commands,
  ...WSTA.commands,
  ...ASSOC.commands,
  ...SI.commands,
  ...WPROV.commands,
  ...DI.commands,
  ...EXTCRYPTO.commands,
  ...WIFI.commands,
  ...NVM.commands,
  ...DFU.commands,
  ...PPS.commands,
  ...SYSLOG.commands,
  ...ARB.commands,
  ...HTTP.commands,
};
const eventDecls = {
  ...SYSTEM.events,
  ...DNS.events,
  ...FS.events,
  ...MQTT.events,
  ...NETIF.events,
  ...OTA.events,
  ...PING.events,
  ...SNTP.events,
  ...SOCKET.events,
  ...TIME.events,
  ...TLS.events,
  ...WAP.events,
  ...WSCN.events,
  ...WSTA.events,
  ...ASSOC.events,
  ...SI.events,
  ...WPROV.events,
  ...EXTCRYPTO.events,
  ...NVM.events,
  ...PPS.events,
  ...SYSLOG.events,
  ...HTTP.events,
};

type CommandDecls = typeof commandDecls;
type EventDecls = typeof eventDecls;
export type CommandName = keyof CommandDecls;
export type EventName = keyof EventDecls;

type Forms<C extends CommandName> = CommandDecls[C]['forms'];
type Responses<C extends CommandName> = CommandDecls[C]['responses'];
/** The arguments of a command: one shape per form, told apart by their fixed values (`op: 1`). */
export type ArgsOf<C extends CommandName> = { [F in keyof Forms<C>]: FormArgs<Forms<C>[F]> }[keyof Forms<C>];
/** A response of a command; `form` tells several apart. */
export type ResponseOf<C extends CommandName> = {
  [F in keyof Responses<C> & string]: Omit<Response, 'command' | 'form' | 'elements'> & {
    readonly command: C;
    readonly form: F;
    readonly elements: FormElements<Responses<C>[F]>;
  };
}[keyof Responses<C> & string];
/** An event; `form` tells several apart. */
export type EventOf<E extends EventName> = {
  [F in keyof EventDecls[E]['forms'] & string]: Omit<Event, 'name' | 'form' | 'elements'> & {
    readonly name: E;
    readonly form: F;
    readonly elements: FormElements<EventDecls[E]['forms'][F]>;
  };
}[keyof EventDecls[E]['forms'] & string];
/** A configuration command, such as `WSTAC`. */
export type ConfigCommandName = {
  [C in CommandName]: CommandDecls[C]['config'] extends undefined ? never : C;
}[CommandName];

export const commands = Object.fromEntries(
  Object.entries(commandDecls).map(([name, decl]) => [name, commandSpec(name, decl)]),
) as unknown as { readonly [C in CommandName]: CommandSpec<C> };
export const events = Object.fromEntries(
  Object.entries(eventDecls).map(([name, decl]) => [name, eventSpec(name, decl)]),
) as unknown as { readonly [E in EventName]: EventSpec<E> };

/** Ids of configuration parameters by name: `configIds.WSTAC.SSID` is 1. */
export const configIds = Object.fromEntries(
  Object.entries(commandDecls).flatMap(([name, { config }]) =>
    config ? [[name, Object.fromEntries(Object.entries(config).map(([key, { id }]) => [key, id]))]] : [],
  ),
) as unknown as {
  readonly [C in ConfigCommandName]: { readonly [K in keyof CommandDecls[C]['config']]: number };
};

const commandsById = new Map<number, CommandSpec<CommandName>>(
  Object.values(commands).map((spec) => [spec.id, spec]),
);
const commandsByName = new Map<string, CommandSpec<CommandName>>(Object.entries(commands));
const eventsById = new Map<number, EventSpec<EventName>>(
  Object.values(events).map((spec) => [spec.id, spec]),
);
const eventsByName = new Map<string, EventSpec<EventName>>(Object.entries(events));

/** Command and event ids are two spaces: 0x0e00 is the command SOCKO and the event SOCKIND. */
export const commandById = (id: number): CommandSpec<CommandName> | undefined => commandsById.get(id);
export const commandByName = (name: string): CommandSpec<CommandName> | undefined => commandsByName.get(name);
export const eventById = (id: number): EventSpec<EventName> | undefined => eventsById.get(id);
export const eventByName = (name: string): EventSpec<EventName> | undefined => eventsByName.get(name);
