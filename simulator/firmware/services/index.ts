/** The services, one per module of the catalogue. */
import type { ServiceFactory } from '../service.js';
import { assoc } from './assoc.js';
import { cfg } from './cfg.js';
import { dfu } from './dfu.js';
import { di } from './di.js';
import { dns } from './dns.js';
import { fs } from './fs.js';
import { internal } from './internal.js';
import { netif } from './netif.js';
import { nvm } from './nvm.js';
import { ota } from './ota.js';
import { ping } from './ping.js';
import { rst } from './rst.js';
import { sntp } from './sntp.js';
import { socket } from './socket.js';
import { syslog } from './syslog.js';
import { time } from './time.js';
import { tls } from './tls.js';
import { wifi } from './wifi.js';
import { wscn } from './wscn.js';
import { wsta } from './wsta.js';

export const services: readonly ServiceFactory[] = [
  assoc,
  cfg,
  dfu,
  di,
  dns,
  fs,
  internal,
  netif,
  nvm,
  ota,
  ping,
  rst,
  sntp,
  socket,
  syslog,
  time,
  tls,
  wifi,
  wscn,
  wsta,
];
