/** The module on its SPI bus. */
export { type Misbehaviour, randomTiming, type SlaveTiming, steadyTiming } from './behaviour.js';
export {
  SdioFrontend,
  type SdioFrontendCounters,
  type SdioFrontendOptions,
  type SpiMisbehaviour,
} from './sdio-frontend.js';
