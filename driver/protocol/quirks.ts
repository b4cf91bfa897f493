/**
 * Where documents, headers, the vendor's encoder and real modules differ: what we send, what we accept, and why.
 * Tests and codecs refer to these names; whatever is not listed here behaves as the references say.
 */
export interface Quirk {
  readonly name: string;
  /** Commands and events concerned; empty: the wire as such. */
  readonly concerns: readonly string[];
  readonly send: string;
  readonly accept: string;
  readonly why: string;
  /** Forms (`NAME.FORM`) the catalogue has for it beyond the references. */
  readonly forms?: readonly string[];
}

const quirk = (name: string, concerns: readonly string[], rest: Omit<Quirk, 'name' | 'concerns'>): Quirk => ({
  name,
  concerns,
  ...rest,
});

export const quirks: readonly Quirk[] = [
  // Requests
  quirk('config-id-1', ['DNSC', 'TLSCSC', 'all configuration commands'], {
    send: 'TLV: an id 0.n or 1.n as INTEGER_UNSIGNED (int << 16 | frac), 2.n and above as INTEGER_FRAC',
    accept: 'TLV: an INTEGER or INTEGER_UNSIGNED id of 0x10000 or more as int.frac, and INTEGER_FRAC',
    why: 'the vendor encoder tests the upper half with > 1; 0.n cannot be told from n',
  }),
  quirk('gap', ['all commands'], {
    send: 'nothing: an argument after a left-out optional one is refused with WINC_ARGUMENT',
    accept: 'nothing to accept: the wire has no way to write it',
    why: 'the vendor encoder drops the later arguments silently',
  }),
  quirk('variant-width', ['all variants'], {
    send: 'TLV: BOOL and STATUS as 4 bytes like every other integer',
    accept: 'TLV: any width from 1 to 4',
    why: 'the header comments say 1 and 2 bytes, the vendor encoder sends 4',
  }),
  quirk('si-filter', ['SI'], {
    send: 'any combination of the filter bits',
    accept: 'the same',
    why: 'the manuals call it a bit mask, the vendor encoder takes single bits only',
  }),
  quirk('pps-pause', ['PPS'], {
    send: 'state 2 with a pause time only',
    accept: 'the same; without pause time 0.4',
    why: 'two examples of the manual call WINC_CmdPPS(2), which the vendor encoder refuses',
  }),
  quirk('fs-load-name', ['FS'], {
    send: 'a file name without a length where the caller gives no length',
    accept: 'the same',
    why: 'the host function has the length optional, the AT reference lists name and length together',
  }),
  quirk('ping-address', ['PING'], {
    send: 'TLV: an address literal as IPV4ADDR or IPV6ADDR, a name as STRING',
    accept: 'any address type',
    why: 'the manual lists INTEGER, STRING, BYTE_ARRAY; every example of the vendor sends IPV4ADDR',
  }),
  quirk('write-length', ['SOCKWR', 'SOCKWRTO', 'NVMWR'], {
    send: 'length as given; AT raw mode only if it equals the size of the data',
    accept: 'any length within range; comparing is the firmware (14.1 Length Mismatch)',
    why: 'the vendor encoder does not compare them',
  }),
  quirk('string-bytes', ['MQTTPUB', 'MQTTLWT', 'all strings'], {
    send: 'AT: `"…"` if all bytes are printable (only `"` and `\\` escaped), else `[hex]`; TLV: the bytes',
    accept: 'AT: both forms for every STRING and BYTE_ARRAY',
    why: 'old firmware knows fewer escapes than the reference lists, hex works everywhere',
  }),
  quirk('string-or-bytes', ['CFGCP', 'MQTTPUB', 'SOCKBR', 'all variants', 'unknown configuration ids'], {
    send: 'AT: STRING quoted, or in hex if it does not print; BYTE_ARRAY in hex',
    accept:
      'AT: hex as BYTE_ARRAY, but as text if it is UTF-8 beyond ASCII; for an address if it has 4 or 16 bytes',
    why: 'the text wire has one lexical form for both; where the catalogue declares one type, that one is meant',
  }),
  quirk('unclosed-string', ['all commands'], {
    send: 'never',
    accept: 'AT: a string or hex string that the end of the line closes',
    why: 'the ancestor accepts it, and an example of the reference is written so',
  }),
  quirk('query-mark', ['all commands'], {
    send: 'never',
    accept: 'AT: `AT+CMD?` as `AT+CMD`; `AT+CMD=?` is 0.5',
    why: 'the ancestor reads with `?`, a host sends it, 2.0.0 answers `=?` with 0.5; the reference has neither',
  }),
  quirk('lexical-error', ['all commands'], {
    send: 'AT module: 0.5 for a parameter that is no integer and no string, 0.4 for an integer beyond 32 bits',
    accept: 'either',
    why: 'the ancestor says 0.5 to every lexical error; what 3.2.0 says is not known',
  }),
  // Responses and events
  quirk('status-dot', [], {
    send: 'AT: status codes as `module.code`',
    accept: '`14.12`, `14,12` and, as old firmware prints module 0, `4`',
    why: 'the table of the reference prints commas, every real module dots',
  }),
  quirk('status-element', ['DNSERR', 'SOCKERR', 'OTA', 'all error events'], {
    send: 'AT: code and quoted text at ATV5, text at ATV4 (code if there is none), the code alone below',
    accept: 'code, code and text, text alone',
    why: 'examples show ATV5 only; what ATV0 and ATV2 print is not known',
  }),
  quirk('ota-state', ['OTA'], {
    send: 'the status code (10.2), TLV: STATUS',
    accept: 'the status code, or INTEGER 0..3',
    why: 'documented as INTEGER 0..3, all examples show a status code with text',
  }),
  quirk('numeric-separator', [], {
    send: 'AT: `MM.NN`',
    accept: '`MM.NN` and `MM:NN`',
    why: 'the reference writes both',
  }),
  quirk('equals-for-colon', ['WSCNC', 'SOCKRDBUF'], {
    send: 'AT: `+NAME:`',
    accept: '`+NAME:` and `+NAME=`',
    why: 'some examples print `=`, most likely misprints',
  }),
  quirk('config-response', ['OTAC', 'NVMC', 'PPSC', 'SYSLOGC'], {
    send: '`<ID>,<VAL>` as all configuration commands',
    accept: 'the same',
    why: 'the references list no response for these four',
  }),
  quirk('wsta-state', ['WSTA'], {
    send: '`+WSTA:<STATE>`',
    accept: '`<STATE>` and `<ASSOC_ID>,<STATE>`',
    why: 'the syntax lists two elements; examples, the ancestor and all known hosts have the state alone',
    forms: ['WSTA.STATE_ONLY'],
  }),
  quirk('wstald-bare', ['WSTALD'], {
    send: '`+WSTALD:<ASSOC_ID>`',
    accept: 'also without the element',
    why: 'one example has none',
    forms: ['WSTALD.LINK_DOWN_BARE'],
  }),
  quirk('mqttsubrd-two', ['MQTTSUBRD'], {
    send: 'three elements',
    accept: 'also `<MSG_LENGTH>,<TOPIC_PAYLOAD>`',
    why: 'the examples have two elements',
    forms: ['MQTTSUBRD.READ_SUBSCRIBED_DATA_ONLY'],
  }),
  quirk('dns-other', ['DNSRESOLV'], {
    send: 'records of other types as `<TYPE>,<QUERY_NAME>,[bytes]`',
    accept: 'the same',
    why: 'examples show NSEC3 so, the list of forms does not',
    forms: ['DNSRESOLV.OTHER_RESPONSE'],
  }),
  quirk('sockrxu-2x', ['SOCKRXU'], {
    send: 'five elements',
    accept: 'also without PEND_DATAGRAM',
    why: 'firmware 2.x has one element less',
    forms: ['SOCKRXU.UDP_RECEIVE_POLLED_2X'],
  }),
  quirk('http-protocol', ['HTTPRSPCODE'], {
    send: '1.1 as a fractional number',
    accept: 'fractional or integer',
    why: 'documented as INTEGER with the value 1.1',
  }),
  quirk('nvmchk-crc', ['NVMCHK'], {
    send: 'a CRC-16 as an integer, hashes as bytes',
    accept: 'both',
    why: 'documented as STRING or BYTE_ARRAY, the CRC example shows 0xCD77',
  }),
  quirk('text-addresses', ['WSCNIND', 'WSTALU', 'WSTAAIP', 'WAPAIP', 'PING'], {
    send: 'TLV: BSSID as MACADDR, IP_ADDRESS as IPV4ADDR or IPV6ADDR; AT: quoted text',
    accept: 'these, and STRING',
    why: 'the manual says STRING, the hosts of the vendor read the address types only',
  }),
  quirk('association-role', ['ASSOC'], {
    send: 'AP_STA as the reference has it (1 = station)',
    accept: 'any integer',
    why: 'a real module was seen to print 0 for a station',
  }),
  quirk('repeated-labels', ['HTTPBODYEND', 'DNSRESOLV', 'PPS'], {
    send: 'the reference layout',
    accept: 'the same',
    why: 'names within our catalogue must be unique: HTTP_BODY_DATA_END_WITH_HASH, TYPE_COVERED, PPS_EVENT are ours',
  }),
  // The line
  quirk('prompt', [], {
    send: 'AT module: `>` after every status line and event while echo is on',
    accept: 'AT host: any number of `>` before a line',
    why: 'not in the reference; every real module does it',
  }),
  quirk('late-failure', ['all commands that finish later'], {
    send: '`+NAME:ERROR…` for a failure after OK that has no event of its own',
    accept: 'the same, as an asynchronous status of that command',
    why: 'the reference describes it, only +SOCKBR is shown',
  }),
];

/** Forms of the catalogue that no reference lists. */
export const undocumentedForms: ReadonlySet<string> = new Set(quirks.flatMap(({ forms = [] }) => forms));
