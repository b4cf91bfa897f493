/**
 * Links and the devices that stack on them. Each takes the link below and is itself a `Link`:
 *
 *     stack ── CapturedLink ── TracedLink ── ImpairedLink ── one of: memoryPipe, VirtualSwitch.port, TapLink
 */
export { CapturedLink, CaptureFile, type CaptureFileOptions } from './capture.js';
export { FrameDecoder } from './decode.js';
export { Device } from './device.js';
export { type Dispatch, onClock, onMicrotask } from './dispatch.js';
export { type ImpairCounters, ImpairedLink, type ImpairOptions, type Verdict } from './impair.js';
export { bursts, type GilbertElliott, type Impairment, parseImpairment } from './impair-spec.js';
export { type PacketNotes, type PcapngOptions, PcapngWriter } from './pcapng.js';
export { memoryPipe, type PipeEnd, type PipeOptions } from './pipe.js';
export { type SwitchOptions, type SwitchPort, VirtualSwitch } from './switch.js';
export { TapLink, type TapOptions } from './tap.js';
export { TracedLink } from './trace.js';
