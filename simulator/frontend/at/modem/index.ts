export type { End } from './receiver.js';
export { ModemReceiver } from './receiver.js';
export { ModemSender } from './sender.js';
