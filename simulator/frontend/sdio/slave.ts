/**
 * The module's end of the SPI bus: an SDIO card in SPI mode. One byte in and one byte out per clocked byte, cut into
 * chip-select windows anywhere; only a half-received command is forgotten between two windows. Messages go in and out
 * as bytes, knowing nothing of their meaning.
 */
import {
  COMMAND_BYTES,
  crc7,
  crc16,
  DataResponse,
  DataToken,
  type ExtendedAccess,
  Fn0,
  Fn1,
  OCR_READY,
  parseDirect,
  parseExtended,
  R1,
  RegisterValue,
  SdioCommand,
} from '../../../driver/protocol/sdio/index.js';
import { EXCESSIVE, type Misbehaviour, Mischief, type SlaveTiming, steadyTiming } from './behaviour.js';
import { MessagePort, type MessagePortCounters, type MessagePortLimits } from './message-port.js';

export interface SlaveOptions extends Partial<MessagePortLimits> {
  readonly timing?: SlaveTiming;
}

export interface SlaveHandler {
  /** A whole message of the host, padding included. Valid during the call. */
  message(bytes: Uint8Array): void;
  /** INTOUT changed: true is low. */
  interrupt(asserted: boolean): void;
  /** The host has fetched all that one event offered. */
  fetched?(): void;
}

export interface SlaveCounters extends MessagePortCounters {
  windows: number;
  bytes: number;
  /** Bytes where a data token or ff was due. */
  badTokens: number;
  /** Commands or blocks with a wrong checksum, while checking is on. */
  badChecksums: number;
  illegalCommands: number;
}

/** What the host is to send next. */
type Receiving = 'command' | 'token' | 'data' | 'crc';
/** What follows on MISO once the answer is out. */
type Sending = 'nothing' | 'filler' | 'data' | 'crc';

const OCR = 0x1020_0000;
/** Longest block a host may configure, bytes. */
const MAX_BLOCK = 2048;
/** The part of the code storage area that exists here: lists of 255 lengths. */
const CSA_BYTES = 1024;

export class SdioSlave {
  readonly #handler: SlaveHandler;
  readonly #timing: SlaveTiming;
  readonly #mischief = new Mischief();
  readonly #port: MessagePort;
  readonly #own = { windows: 0, bytes: 0, badTokens: 0, badChecksums: 0, illegalCommands: 0 };

  /** MISO is low: reset asserted, or still booting. */
  #asleep = true;
  #hung: number | undefined;
  #interruptLow = false;
  #interruptStuck = false;

  /** No command was understood yet since power-up. */
  #silent = true;
  #idle = true;
  #powerUpPolls = 0;
  #checking = false;
  readonly #common = new Uint8Array(0x200);
  #clockWakeUp = 0;
  readonly #csa = new Uint8Array(CSA_BYTES);

  readonly #command = new Uint8Array(COMMAND_BYTES);
  #commandAt = 0;

  /** Short answers: response bytes, or the data response and busy. */
  readonly #answer = new Uint8Array(2 + EXCESSIVE);
  #answerAt = 0;
  #answerEnd = 0;
  /** While the answer is a busy signal the card does not listen. */
  #busy = false;

  #receiving: Receiving = 'command';
  #sending: Sending = 'nothing';
  #access: ExtendedAccess | undefined;
  #address = 0;
  #blocksLeft = 0;
  #blockSize = 0;
  readonly #block = new Uint8Array(MAX_BLOCK);
  #blockAt = 0;
  #blockCrc = 0;
  #crcAt = 0;
  #fillerLeft = 0;
  #zerosLeft = 0;

  constructor(handler: SlaveHandler, options: SlaveOptions = {}) {
    this.#handler = handler;
    this.#timing = options.timing ?? steadyTiming;
    const limits: MessagePortLimits = {
      listLength: options.listLength ?? 8,
      burstRequest: options.burstRequest ?? 'sum',
      queueBytes: options.queueBytes ?? 1 << 20,
    };
    const portHandler = {
      message: (bytes: Uint8Array) => this.#handler.message(bytes),
      interruptChanged: () => this.#updateInterrupt(),
      fetched: () => this.#handler.fetched?.(),
    };
    this.#port = new MessagePort(limits, portHandler, this.#timing, this.#mischief);
    this.sleep();
  }

  get counters(): Readonly<SlaveCounters> {
    return { ...this.#own, ...this.#port.counters };
  }

  get interruptAsserted(): boolean {
    return this.#interruptLow;
  }

  /** A host has woken the bus since power-up. */
  get engaged(): boolean {
    return !this.#silent;
  }

  /** Messages not yet offered to the host. */
  get queued(): number {
    return this.#port.queued;
  }

  /** Their bytes, padding included. */
  get queuedBytes(): number {
    return this.#port.queuedBytes;
  }

  /** Reset is asserted or the module restarts: everything is forgotten and MISO stays low until {@link wake}. */
  sleep(): void {
    this.#asleep = true;
    this.#hung = undefined;
    this.#interruptStuck = false;
    this.#mischief.clear();
    this.#silent = true;
    this.#checking = false;
    this.#csa.fill(0);
    this.#resetFunctions();
    this.#stopTransfer();
    this.#port.reset();
    this.#updateInterrupt();
  }

  /** The module has booted: it listens. */
  wake(): void {
    this.#asleep = false;
  }

  /** Queues a message for the host; false if there was no room for it. */
  post(message: Uint8Array): boolean {
    return this.#port.post(message);
  }

  /** Makes the module misbehave at the next occasion, `times` times. */
  misbehave(what: Misbehaviour, times = 1): void {
    if (what === 'hang-low') this.#hung = 0x00;
    else if (what === 'hang-high') this.#hung = 0xff;
    else if (what === 'interrupt-glitch') {
      this.#handler.interrupt(!this.#interruptLow);
      this.#handler.interrupt(this.#interruptLow);
    } else this.#mischief.arm(what, times);
  }

  /** One chip-select window. `miso` has the length of `mosi`. */
  transfer(mosi: Uint8Array, miso: Uint8Array): void {
    this.#own.windows++;
    this.#own.bytes += mosi.length;
    this.#commandAt = 0;
    for (let at = 0; at < mosi.length; at++) {
      if (this.#asleep) miso[at] = 0x00;
      else if (this.#hung !== undefined) miso[at] = this.#hung;
      else {
        const deaf = this.#busy && this.#answerAt < this.#answerEnd;
        miso[at] = this.#next();
        if (!deaf) this.#take(mosi[at]);
      }
    }
  }

  #next(): number {
    if (this.#answerAt < this.#answerEnd) return this.#answer[this.#answerAt++];
    this.#busy = false;
    switch (this.#sending) {
      case 'nothing':
        return 0xff;
      case 'filler':
        if (this.#fillerLeft > 0) {
          this.#fillerLeft--;
          if (this.#zerosLeft === 0) return 0xff;
          this.#zerosLeft--;
          return 0x00;
        }
        this.#fillBlock();
        this.#sending = 'data';
        return DataToken.START;
      case 'data': {
        const byte = this.#block[this.#blockAt++];
        if (this.#blockAt === this.#blockSize) {
          this.#sending = 'crc';
          this.#crcAt = 0;
        }
        return byte;
      }
      case 'crc':
        if (this.#crcAt++ === 0) return this.#blockCrc >> 8;
        this.#blockSent();
        return this.#blockCrc & 0xff;
    }
  }

  #take(byte: number): void {
    switch (this.#receiving) {
      case 'command':
        this.#takeCommand(byte);
        break;
      case 'token':
        if (byte === (this.#access!.blocks ? DataToken.START_MULTIPLE : DataToken.START)) {
          this.#receiving = 'data';
          this.#blockAt = 0;
        } else if ((byte & 0xc0) === 0x40) {
          this.#stopTransfer();
          this.#takeCommand(byte);
        } else if (byte !== 0xff) this.#own.badTokens++;
        break;
      case 'data':
        this.#block[this.#blockAt++] = byte;
        if (this.#blockAt === this.#blockSize) {
          this.#receiving = 'crc';
          this.#crcAt = 0;
          this.#blockCrc = 0;
        }
        break;
      case 'crc':
        this.#blockCrc = (this.#blockCrc << 8) | byte;
        if (++this.#crcAt === 2) this.#blockReceived();
        break;
    }
  }

  #takeCommand(byte: number): void {
    if (this.#commandAt === 0 && (byte & 0xc0) !== 0x40) return;
    this.#command[this.#commandAt++] = byte;
    if (this.#commandAt < COMMAND_BYTES) return;
    this.#commandAt = 0;
    this.#execute();
  }

  #execute(): void {
    const command = this.#command;
    const index = command[0] & 0x3f;
    const argument = ((command[1] << 24) | (command[2] << 16) | (command[3] << 8) | command[4]) >>> 0;
    // Before the first CMD0 the card is not in SPI mode and does not drive MISO.
    if (this.#silent && index !== SdioCommand.GO_IDLE) return;
    this.#stopTransfer();
    const idle = this.#idle ? R1.IDLE : 0;
    if (this.#checking && command[5] >> 1 !== crc7(command, 0, 5)) {
      this.#own.badChecksums++;
      this.#respond(idle | R1.CRC_ERROR);
      return;
    }
    switch (index) {
      case SdioCommand.GO_IDLE:
        this.#goIdle();
        break;
      case SdioCommand.IO_SEND_OP_COND:
        this.#sendOperatingConditions(argument);
        break;
      case SdioCommand.CRC_ON_OFF:
        this.#checking = (argument & 1) !== 0;
        this.#respond(idle);
        break;
      case SdioCommand.IO_RW_DIRECT:
        if (this.#mischief.take('response-error')) this.#respond(idle | R1.CRC_ERROR, 0);
        else this.#accessDirect(argument, idle);
        break;
      case SdioCommand.IO_RW_EXTENDED:
        if (this.#mischief.take('response-error')) this.#respond(idle | R1.CRC_ERROR, 0);
        else this.#accessExtended(argument, idle);
        break;
      default:
        this.#own.illegalCommands++;
        this.#respond(idle | R1.ILLEGAL_COMMAND);
    }
  }

  #goIdle(): void {
    this.#silent = false;
    this.#idle = true;
    this.#checking = false;
    this.#interruptStuck = false;
    this.#powerUpPolls = this.#timing.powerUpPolls();
    this.#port.restart();
    this.#updateInterrupt();
    this.#respond(R1.IDLE);
  }

  #sendOperatingConditions(voltages: number): void {
    let ocr = OCR;
    if (voltages !== 0) {
      if (this.#powerUpPolls > 0) this.#powerUpPolls--;
      else {
        this.#idle = false;
        ocr |= OCR_READY;
      }
    }
    this.#respond(this.#idle ? R1.IDLE : 0, ocr >>> 24, ocr >>> 16, ocr >>> 8, ocr);
  }

  #accessDirect(argument: number, idle: number): void {
    const { write, fn, address, value } = parseDirect(argument);
    if (fn > 1) this.#respond(idle | R1.FUNCTION_NUMBER, 0);
    else if (write) {
      this.#writeRegister(fn, address, value);
      this.#respond(this.#idle ? R1.IDLE : 0, value);
    } else this.#respond(idle, this.#readRegister(fn, address));
  }

  #accessExtended(argument: number, idle: number): void {
    const access = parseExtended(argument);
    const { fn, write, blocks, count } = access;
    const size = blocks ? this.#configuredBlockSize(fn) : count;
    let error = idle;
    if (this.#idle) error |= R1.ILLEGAL_COMMAND;
    if (fn > 1) error |= R1.FUNCTION_NUMBER;
    if (count === 0 || size === 0 || size > MAX_BLOCK) error |= R1.PARAMETER;
    if (error !== 0) {
      this.#own.illegalCommands++;
      this.#respond(error, 0);
      return;
    }
    this.#respond(0, 0);
    this.#access = access;
    this.#address = access.address;
    this.#blocksLeft = blocks ? count : 1;
    this.#blockSize = size;
    if (write) this.#receiving = 'token';
    else {
      this.#sending = 'filler';
      this.#zerosLeft = 0;
      this.#fillerLeft = this.#mischief.take('late-token') ? EXCESSIVE : this.#timing.readFiller();
      if (fn === 1 && access.address === Fn1.DATA) this.#port.beginRead();
    }
  }

  #fillBlock(): void {
    const { fn, increment } = this.#access!;
    this.#blockAt = 0;
    if (fn === 1 && this.#address === Fn1.DATA && !increment) this.#port.read(this.#block, this.#blockSize);
    else {
      for (let at = 0; at < this.#blockSize; at++) {
        this.#block[at] = this.#readRegister(fn, this.#address);
        if (increment) this.#address = (this.#address + 1) & 0x1ffff;
      }
    }
    this.#blockCrc = crc16(this.#block, 0, this.#blockSize);
    if (this.#mischief.take('read-crc')) this.#blockCrc ^= 0x0101;
    if (this.#mischief.take('read-corrupt')) {
      this.#block[this.#blockSize >> 1] ^= 0x40;
      this.#blockCrc = crc16(this.#block, 0, this.#blockSize);
    }
  }

  #blockSent(): void {
    if (--this.#blocksLeft > 0) {
      const gap = this.#timing.blockGap();
      this.#sending = 'filler';
      this.#fillerLeft = gap.bytes;
      this.#zerosLeft = gap.zeros;
      return;
    }
    this.#sending = 'nothing';
    const { fn, address } = this.#access!;
    this.#access = undefined;
    if (fn === 1 && address === Fn1.DATA) this.#port.endRead();
  }

  #blockReceived(): void {
    const damaged =
      this.#mischief.take('write-crc') ||
      (this.#checking && crc16(this.#block, 0, this.#blockSize) !== this.#blockCrc);
    if (damaged) {
      this.#own.badChecksums++;
      this.#blocksLeft = 0;
    } else this.#blocksLeft--;
    const access = this.#access!;
    if (this.#blocksLeft > 0) this.#receiving = 'token';
    else {
      this.#receiving = 'command';
      this.#access = undefined;
    }
    const zeros = this.#mischief.take('long-busy') ? EXCESSIVE : Math.min(this.#timing.busy(), EXCESSIVE);
    this.#answer[0] = 0xe0 | (damaged ? DataResponse.CRC_ERROR : DataResponse.ACCEPTED);
    this.#answer.fill(0x00, 1, 1 + zeros);
    this.#answerAt = 0;
    this.#answerEnd = 1 + zeros;
    this.#busy = true;
    if (damaged) return;
    if (access.fn === 1 && this.#address === Fn1.DATA && !access.increment) {
      this.#port.write(this.#block, this.#blockSize);
      return;
    }
    for (let at = 0; at < this.#blockSize; at++) {
      this.#writeRegister(access.fn, this.#address, this.#block[at]);
      if (access.increment) this.#address = (this.#address + 1) & 0x1ffff;
    }
  }

  #readRegister(fn: number, address: number): number {
    if (fn === 1) return this.#port.readRegister(address);
    if (address === Fn0.CLOCK_WAKE_UP) return this.#clockWakeUp;
    if (address === Fn0.FN1_CSA_DATA) return this.#csa[this.#nextCsaAddress()] ?? 0;
    return this.#common[address] ?? 0;
  }

  #writeRegister(fn: number, address: number, value: number): void {
    if (fn === 1) {
      const stuck = address === Fn1.INT_ID && this.#interruptLow && this.#mischief.take('interrupt-stuck');
      if (stuck) this.#interruptStuck = true;
      this.#port.writeRegister(address, value, this.#csa);
      return;
    }
    if (address === Fn0.CLOCK_WAKE_UP) this.#clockWakeUp = value;
    else if (address === Fn0.FN1_CSA_DATA) {
      const at = this.#nextCsaAddress();
      if (at < CSA_BYTES) this.#csa[at] = value;
    } else if (address === Fn0.IO_ABORT) {
      if (value & RegisterValue.IO_RESET) {
        this.#resetFunctions();
        this.#port.restart();
      }
    } else if (address < this.#common.length && address !== Fn0.IO_READY && address !== Fn0.INT_PENDING) {
      this.#common[address] = value;
      if (address === Fn0.FN1_CSA_CONFIG) this.#common[address] |= RegisterValue.CSA_SUPPORTED;
      else if (address === Fn0.IO_ENABLE) this.#common[Fn0.IO_READY] = value & RegisterValue.FN1_ENABLED;
      else if (address === Fn0.INT_ENABLE) this.#updateInterrupt();
    }
  }

  #nextCsaAddress(): number {
    const common = this.#common;
    const at = Fn0.FN1_CSA_POINTER;
    const address = common[at] | (common[at + 1] << 8) | (common[at + 2] << 16);
    const next = address + 1;
    common[at] = next;
    common[at + 1] = next >> 8;
    common[at + 2] = next >> 16;
    return address;
  }

  #configuredBlockSize(fn: number): number {
    const at = fn === 0 ? Fn0.FN0_BLOCK_SIZE : Fn0.FN1_BLOCK_SIZE;
    return this.#common[at] | (this.#common[at + 1] << 8);
  }

  #resetFunctions(): void {
    this.#idle = true;
    this.#powerUpPolls = this.#timing.powerUpPolls();
    this.#common.fill(0);
    this.#common[Fn0.FN1_CSA_CONFIG] = RegisterValue.CSA_SUPPORTED;
    this.#clockWakeUp = 0;
  }

  /** Forgets the data phase and whatever was being answered. */
  #stopTransfer(): void {
    this.#commandAt = 0;
    this.#receiving = 'command';
    this.#sending = 'nothing';
    this.#access = undefined;
    this.#answerAt = 0;
    this.#answerEnd = 0;
    this.#busy = false;
  }

  /** R1 comes one byte after the command, further bytes right behind it. */
  #respond(...bytes: number[]): void {
    this.#answer[0] = 0xff;
    for (let at = 0; at < bytes.length; at++) this.#answer[at + 1] = bytes[at];
    this.#answerAt = 0;
    this.#answerEnd = bytes.length + 1;
  }

  #updateInterrupt(): void {
    const master = RegisterValue.INT_MASTER_FN1;
    const low =
      this.#interruptStuck ||
      ((this.#port.intId & this.#port.intEnable) !== 0 && (this.#common[Fn0.INT_ENABLE] & master) === master);
    if (low === this.#interruptLow) return;
    this.#interruptLow = low;
    this.#handler.interrupt(low);
  }
}
