/** Random arguments and elements for every form of the catalogue. */
import fc from 'fast-check';
import './seed.js';
import { formatIpv4, formatIpv6, formatMac } from '../../../driver/protocol/address.js';
import type { Elements, Scalar, Values } from '../../../driver/protocol/messages.js';
import type { IntType, ValueType } from '../../../driver/protocol/schema.js';
import type {
  CommandSpec,
  ConfigSpec,
  FormSpec,
  MessageForm,
  ParamSpec,
} from '../../../driver/protocol/spec.js';
import { decodeText } from '../../../driver/protocol/text.js';

const sized = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const ipv4 = sized(4).map(formatIpv4);
const ipv6 = sized(16).map(formatIpv6);
const masked = fc.tuple(ipv4, fc.integer({ min: 0, max: 32 })).map(([text, mask]) => `${text}/${mask}`);
const prefixed = fc
  .tuple(ipv6, fc.integer({ min: 0, max: 128 }))
  .map(([text, length]) => `${text}/${length}`);
const name = fc.stringMatching(/^[a-z][a-z0-9.-]{0,20}$/);
/** Any bytes at all, as text. */
export const anyText = (max = 60): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string({ maxLength: Math.min(max, 30) }).map((text) => text.slice(0, max)),
    fc.uint8Array({ maxLength: Math.min(max, 60) }).map(decodeText),
    fc.constantFrom('', '"', '\\', '\r\nAT+RST\r\n', '\0', '#', '+++').map((text) => text.slice(0, max)),
  );

function integer(type: IntType): fc.Arbitrary<number> {
  if (type.bitmask) return fc.nat({ max: type.max });
  if (type.named && !type.open) return fc.constantFrom(...type.named);
  const edges = fc.constantFrom(type.min, type.max, Math.min(type.min + 1, type.max));
  return fc.oneof(edges, fc.integer({ min: type.min, max: type.max }));
}

const fraction = (max: number) => fc.record({ int: fc.nat({ max }), frac: fc.nat({ max: 0xffff }) });

/** What a caller may pass, in the form a decoder answers it. */
export function scalar(type: ValueType): fc.Arbitrary<Scalar> {
  switch (type.kind) {
    case 'int':
      return integer(type);
    case 'bool':
      return fc.constantFrom(0, 1);
    case 'frac':
      return fraction(200);
    case 'configId':
      return fc.oneof(fc.nat({ max: 255 }), fraction(255));
    case 'string':
      return anyText(type.max);
    case 'bytes':
      return fc.uint8Array({ minLength: type.min ?? 0, maxLength: Math.min(type.max ?? 80, 80) });
    case 'status':
      return fc.constantFrom(1, 4, 0x0504, 0x0e07, 0x0a02, 0x7f7f);
    case 'time':
      return fc.integer({ min: 0, max: 0xffff_ffff });
    case 'mac':
      return sized(6).map(formatMac);
    case 'variant':
      if (type.suffix === 'mask') return masked;
      if (type.suffix === 'prefix') return prefixed;
      if (!type.types.includes('IPV6ADDR')) {
        if (type.types.includes('IPV4ADDR')) return ipv4;
        return fc.oneof(fc.nat(), anyText(type.max));
      }
      if (!type.types.includes('IPV4ADDR')) return ipv6;
      return type.types.includes('STRING') ? fc.oneof(ipv4, ipv6, name) : fc.oneof(ipv4, ipv6);
    default:
      return fc.nat();
  }
}

function configValue(
  spec: Pick<CommandSpec, 'config'>,
  writable: boolean,
): fc.Arbitrary<{ id: Scalar; val: Scalar }> {
  const params = [...(spec.config?.values() ?? [])].filter(
    ({ readOnly, type }) => !(writable && readOnly) && type.kind !== 'complex',
  );
  return fc.constantFrom(...params).chain((param: ConfigSpec) =>
    fc.record({
      id: param.index
        ? fc.record({
            int: fc.constant(param.id),
            frac: fc.integer({ min: param.index[0], max: param.index[1] }),
          })
        : fc.constant(param.id),
      val: scalar(param.type),
    }),
  );
}

function argument(param: ParamSpec): fc.Arbitrary<Scalar> {
  if (param.only) return fc.constantFrom(...param.only);
  return scalar(param.type);
}

/** Arguments for one form, with any legal choice of optional ones left out. */
export function argsFor(spec: CommandSpec, form: FormSpec): fc.Arbitrary<Values> {
  return fc.constantFrom(...form.lists).chain((params) => {
    const record = fc.record(Object.fromEntries(params.map((param) => [param.name, argument(param)])));
    const sets = params.some(({ type }) => type.kind === 'configValue');
    if (!sets) return record;
    if (form.selector >= 0) {
      const id = form.params[form.selector].only?.[0] ?? 0;
      const type = spec.config?.get(id)?.type;
      return type ? fc.tuple(record, scalar(type)).map(([args, val]) => ({ ...args, id, val })) : record;
    }
    return fc.tuple(record, configValue(spec, true)).map(([args, { id, val }]) => ({ ...args, id, val }));
  });
}

/** Elements for one form of a response or event. */
export function elementsFor(form: MessageForm, spec: Pick<CommandSpec, 'config'>): fc.Arbitrary<Elements> {
  const arbitraries = form.elements.map(
    ({ name, type }): [string, fc.Arbitrary<Scalar | readonly Scalar[]>] => {
      if (type.kind === 'list') return [name, fc.array(scalar(type.of), { minLength: 1, maxLength: 4 })];
      if (type.kind === 'int' && type.likely) return [name, fc.constantFrom(...type.likely)];
      return [name, scalar(type)];
    },
  );
  const record = fc.record(Object.fromEntries(arbitraries)) as fc.Arbitrary<Elements>;
  const id = form.elements.find(({ type }) => type.kind === 'configId')?.name;
  const val = form.elements.find(({ type }) => type.kind === 'configValue')?.name;
  if (id === undefined || val === undefined || !spec.config) return record;
  return fc
    .tuple(record, configValue(spec, false))
    .map(([elements, value]) => ({ ...elements, [id]: value.id, [val]: value.val }));
}
