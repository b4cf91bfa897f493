/**
 * Our declarations against the reference's facts, item by item. Where we differ on purpose the difference is listed
 * here by name; an entry that no longer differs fails, too.
 */
import { expect } from 'chai';
import {
  type CommandName,
  commandById,
  commandByName,
  commands,
  configIds,
  type EventName,
  eventById,
  events,
  modules,
} from '../../../../driver/protocol/catalogue/index.js';
import { undocumentedForms } from '../../../../driver/protocol/quirks.js';
import type { IntType, ValueType } from '../../../../driver/protocol/schema.js';
import {
  camel,
  type ElementSpec,
  type FormSpec,
  type MessageForm,
  type ParamSpec,
} from '../../../../driver/protocol/spec.js';
import {
  type CommandFact,
  type ConfigFact,
  type ElementFact,
  type EventFact,
  facts,
  type Labelled,
  type ParamFact,
} from '../fixtures.js';

const labelsOf = (list: Labelled[] | undefined) =>
  list && Object.fromEntries(list.map(({ value, label }) => [label, value]));

/** The vendor repeats a label; ours must be unique (quirk repeated-labels). */
const relabelled: Record<string, string> = {
  'HTTPBODYEND.HTTP_BODY_DATA_END_WITH_HASH': 'HTTP_BODY_DATA_END',
};

function accepts(type: IntType, only?: readonly number[]): [number, number][] {
  const values = only ?? (type.named && !type.open && !type.bitmask ? [...type.named] : undefined);
  if (!values) return [[type.min, type.max]];
  const ranges: [number, number][] = [];
  for (const value of [...values].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && last[1] === value - 1) last[1] = value;
    else ranges.push([value, value]);
  }
  return ranges;
}

function checkParam(spec: ParamSpec, fact: ParamFact, at: CommandFact['at']['params'], where: string): void {
  expect(spec.key, where).to.equal(fact.key);
  expect(spec.name, where).to.equal(fact.name);
  expect(spec.optional, `${where} optional`).to.equal(fact.optional);
  expect(spec.ignore, `${where} ignore value`).to.equal(fact.ignoreValue);
  const { type } = spec;
  if (fact.wire.types.includes('INTEGER_FRAC')) {
    expect(type.kind, where).to.equal('configId');
  } else if (fact.kind === 'int') {
    if (type.kind !== 'int') throw new Error(`${where} is no integer`);
    expect([type.wire], `${where} type`).to.deep.equal(fact.wire.types);
    expect(type.width, `${where} width`).to.equal(fact.wire.length);
    expect(Boolean(type.bitmask), where).to.equal(Boolean(fact.bitmask));
    // SI.filter: the manuals call it a bit mask, the vendor's encoder takes single bits only.
    if (!type.bitmask)
      expect(accepts(type, spec.only), `${where} accepts`).to.deep.equal(fact.encoderAccepts);
    const labels = labelsOf(fact.enum) ?? labelsOf(at[fact.key].enum);
    if (spec.only) expect(labels, where).to.include(type.labels ?? {});
    else expect(type.labels, `${where} labels`).to.deep.equal(labels);
  } else if (fact.kind === 'buffer') {
    const isText = fact.wire.types[0] === 'STRING';
    expect(type.kind, where).to.equal(isText ? 'string' : 'bytes');
    const limits = type as { min?: number; max?: number; text?: boolean };
    const range = at[fact.key].range;
    expect(limits.max, `${where} max`).to.equal(fact.maxLength ?? range?.[1]);
    expect(limits.min, `${where} min`).to.equal(range?.[0]);
    if (!isText)
      expect(Boolean(limits.text), `${where} text`).to.equal(at[fact.key].types.includes('STRING'));
  } else if (fact.key === 'VAL') {
    expect(type.kind, where).to.equal('configValue');
  } else {
    if (type.kind !== 'variant') throw new Error(`${where} is no variant`);
    // PING: no manual lists the address types, every example of the vendor sends one.
    const types = where.startsWith('PING') ? [...fact.wire.types, 'IPV4ADDR', 'IPV6ADDR'] : fact.wire.types;
    expect(type.types, where).to.deep.equal(types);
  }
}

function checkForm(form: FormSpec, fact: CommandFact['functions'][number], at: CommandFact['at']): void {
  expect(`WINC_Cmd${form.name}`).to.equal(fact.name);
  expect(
    form.params.map(({ name }) => name),
    fact.name,
  ).to.deep.equal(fact.wireOrder.map(({ param }) => param));
  fact.wireOrder.forEach((wire, i) => {
    const spec = form.params[i];
    const where = `${form.name}.${spec.key}`;
    if (wire.fixedValue === undefined) {
      const param = fact.params.find(({ name }) => name === wire.param);
      if (!param) throw new Error(`${where} is not in the fixture`);
      checkParam(spec, param, at.params, where);
      return;
    }
    expect(spec.preset ?? spec.only?.[0], where).to.equal(wire.fixedValue);
    const type = spec.type as IntType;
    expect([type.wire, type.width], where).to.deep.equal([wire.types?.[0], wire.length]);
  });
}

/** What the reference says of an element whose type is `type`. */
function elementTypes(type: ValueType): string[] {
  switch (type.kind) {
    case 'int':
    case 'status':
    case 'configId':
    case 'frac':
      return ['INTEGER'];
    case 'string':
    case 'mac':
      return ['STRING'];
    case 'bytes':
      return type.text ? ['STRING', 'BYTE_ARRAY'] : ['BYTE_ARRAY'];
    case 'configValue':
      return ['ANY'];
    case 'variant':
      // addressText(), quirk text-addresses
      return String(type.types) === 'STRING,IPV4ADDR,IPV6ADDR' ? ['STRING'] : [...type.types];
    case 'list':
      return elementTypes(type.of);
    default:
      throw new Error(`no element is a ${type.kind}`);
  }
}

function checkElement(
  { key, type: declared }: ElementSpec,
  fact: ElementFact | undefined,
  where: string,
): void {
  if (!fact) throw new Error(`${where}: no element ${key}`);
  const type = declared.kind === 'list' ? declared.of : declared;
  expect(elementTypes(type), `${where}.${key}`).to.deep.equal(fact.types);
  const isState = where.startsWith('OTA.');
  if (!isState) expect(type.kind === 'status', `${where}.${key}`).to.equal(fact.ref === 'statusCodes');
  if ('labels' in type || fact.enum) {
    expect((type as IntType).labels, `${where}.${key}`).to.deep.equal(labelsOf(fact.enum));
  }
  if (fact.range && type.kind === 'int') {
    expect([type.min, type.max], `${where}.${key} range`).to.deep.equal(fact.range);
  }
  if (fact.range && type.kind === 'bytes') {
    expect([type.min, type.max], `${where}.${key} range`).to.deep.equal(fact.range);
  }
}

function checkForms(
  name: string,
  ours: readonly MessageForm[],
  theirs: { label: string; elements: string[] }[],
  elements: Record<string, ElementFact>,
): void {
  const documented = ours.filter(({ form }) => !undocumentedForms.has(`${name}.${form}`));
  expect(documented.map(({ form }) => relabelled[`${name}.${form}`] ?? form).sort()).to.deep.equal(
    theirs.map(({ label }) => label).sort(),
    name,
  );
  for (const form of documented) {
    const label = relabelled[`${name}.${form.form}`] ?? form.form;
    const keys = form.elements.flatMap(({ key, type }) => (type.kind === 'list' ? [key, key] : [key]));
    const fact = theirs.find((their) => their.label === label && String(their.elements) === String(keys));
    expect(fact, `${name}.${form.form} (${keys})`).to.not.equal(undefined);
    for (const element of form.elements) checkElement(element, elements[element.key], `${name}.${form.form}`);
  }
}

const configTypes: Record<string, (type: ValueType) => boolean> = {
  BOOL: ({ kind }) => kind === 'bool',
  INTEGER: (type) => type.kind === 'int' && type.wire === 'INTEGER',
  INTEGER_UNSIGNED: (type) => type.kind === 'int' && type.wire === 'INTEGER_UNSIGNED',
  INTEGER_FRAC: ({ kind }) => kind === 'frac',
  STRING: ({ kind }) => kind === 'string',
  BYTE_ARRAY: ({ kind }) => kind === 'bytes',
  STATUS: ({ kind }) => kind === 'status',
  UTC_TIME: ({ kind }) => kind === 'time',
  MACADDR: ({ kind }) => kind === 'mac',
  COMPLEX: ({ kind }) => kind === 'complex',
};

function checkConfig(name: string, command: CommandFact): void {
  const table = commands[name as CommandName].config;
  if (!table || !command.config) throw new Error(`${name} has no configuration`);
  expect([...table.values()].map((param) => param.name).sort()).to.deep.equal(
    command.config.params.map((param) => param.name).sort(),
  );
  for (const fact of command.config.params) {
    const where = `${name}.${fact.name}`;
    const param = table.get(fact.id);
    if (!param) throw new Error(`${where} is missing`);
    expect(param.name, where).to.equal(fact.name);
    expect((configIds as Record<string, Record<string, number>>)[name][fact.name]).to.equal(fact.id);
    expect(Boolean(param.readOnly), `${where} read only`).to.equal(Boolean(fact.readOnly));
    expect(param.default, `${where} default`).to.equal(fact.default);
    expect(Boolean(param.hiddenWhenZero), where).to.equal(Boolean(fact.hiddenWhenZero));
    expect(param.index, `${where} index`).to.deep.equal(
      fact.multiValue && [fact.multiValue.firstIndex, fact.multiValue.lastIndex],
    );
    checkConfigType(param.type, fact, command.config, where);
  }
}

function checkConfigType(
  type: ValueType,
  fact: ConfigFact,
  config: NonNullable<CommandFact['config']>,
  where: string,
): void {
  if (type.kind === 'variant') {
    expect(type.types, where).to.deep.equal(fact.types);
    expect(type.max, where).to.equal(fact.maxLength);
    const suffix = { IPV4_ADDR_AND_MASK: 'mask', IPV6_ADDR_AND_SCOPE: 'prefix' }[fact.formats?.[0] ?? ''];
    expect(type.suffix, where).to.equal(suffix);
    return;
  }
  expect(fact.types, where).to.have.length(1);
  expect(configTypes[fact.types[0]](type), `${where} is a ${type.kind}`).to.equal(true);
  if (type.kind === 'int') {
    expect(type.width, where).to.equal(4);
    expect(type.labels, `${where} labels`).to.deep.equal(labelsOf(fact.enum));
    expect(Boolean(type.bitmask), where).to.equal(Boolean(fact.bitmask));
    if (fact.range) expect([type.min, type.max], `${where} range`).to.deep.equal(fact.range);
    else if (!type.labels)
      expect(type.max, where).to.equal(type.wire === 'INTEGER' ? 0x7fff_ffff : 0xffff_ffff);
  }
  if (type.kind === 'bool') {
    expect({ ...type.labels }, where).to.deep.equal(
      Object.fromEntries((fact.enum ?? []).map(({ value, label }) => [value, label])),
    );
  }
  if (type.kind === 'string' || type.kind === 'bytes') expect(type.max, where).to.equal(fact.maxLength);
  if (type.kind === 'complex') {
    const [group] = config.complexValues ?? [];
    expect(type.label, where).to.equal(group.label);
    expect(Object.keys(type.elements), where).to.deep.equal(group.elements);
    for (const [key, element] of Object.entries(type.elements)) {
      checkElement({ key, name: camel(key), type: element }, config.complexElements?.[key], where);
    }
  }
}

describe('catalogue', () => {
  it('has no undocumented form that does not exist', () => {
    const forms = [
      ...Object.values(commands).flatMap(({ name, responses }) =>
        responses.map(({ form }) => `${name}.${form}`),
      ),
      ...Object.values(events).flatMap((event) => event.forms.map(({ form }) => `${event.name}.${form}`)),
    ];
    expect(forms).to.include.members([...undocumentedForms]);
  });

  it('has every module with its commands and events', () => {
    expect(modules.map(({ id, name }) => ({ id, name }))).to.deep.equal(
      facts.modules.map(({ id, name }) => ({ id, name })),
    );
    modules.forEach((module, i) => {
      expect(Object.keys(module.commands)).to.deep.equal(facts.modules[i].commands);
      expect(Object.keys(module.events)).to.deep.equal(facts.modules[i].aecs);
    });
    expect(Object.keys(commands)).to.have.length(76);
    expect(Object.keys(events)).to.have.length(59);
  });

  for (const fact of facts.commands) {
    it(`command ${fact.name}`, () => {
      const spec = commands[fact.name as CommandName];
      expect(spec.id).to.equal(fact.id);
      expect(commandById(fact.id)).to.equal(spec);
      expect(commandByName(fact.name)).to.equal(spec);
      expect(spec.atOnly).to.equal(!fact.hasHostFunction);
      if (!spec.atOnly) expect(spec.forms).to.have.length(fact.functions.length);
      fact.functions.forEach((fn, i) => {
        checkForm(spec.forms[i], fn, fact.at);
      });
      // Four configuration tables have no documented response; they answer as all others do.
      const assumed = fact.config && fact.at.responses.length === 0;
      if (assumed) expect(spec.responses.map(({ form }) => form)).to.deep.equal(['READ_RESPONSE']);
      else checkForms(fact.name, spec.responses, fact.at.responses, fact.at.elements);
      if (fact.config) checkConfig(fact.name, fact);
      else expect(spec.config).to.equal(undefined);
    });

    it(`AT syntaxes of ${fact.name}`, () => {
      const spec = commands[fact.name as CommandName];
      const text = (params: readonly string[], verb: string, condition?: unknown) =>
        `${params.join(',')} ${verb} ${JSON.stringify(condition) ?? ''}`;
      const ours = spec.syntaxes.map(({ params, verb, condition }) => text(params, verb, condition));
      const theirs = fact.at.syntaxes.map(({ params, form, condition }) => text(params, form, condition));
      // The host function sends a file name without a length; the AT reference lists both or neither.
      const name = 'OP,FILETYPE,TSFRPROT,FILENAME execute {"param":"OP","op":"in","values":[1]}';
      if (fact.name === 'FS') expect(ours.splice(ours.indexOf(name), 1)).to.deep.equal([name]);
      expect(ours.sort()).to.deep.equal(theirs.sort());
    });
  }

  it('counts 231 configuration parameters and 165 AT syntaxes', () => {
    const tables = Object.values(commands).map(({ config }) => config?.size ?? 0);
    expect(tables.reduce((sum, size) => sum + size, 0)).to.equal(231);
    // One more than listed: FSLOAD, see above.
    expect(Object.values(commands).reduce((sum, { syntaxes }) => sum + syntaxes.length, 0)).to.equal(166);
  });

  it('states for AT parameters what the AT reference does', () => {
    for (const fact of facts.commands) {
      for (const [key, param] of Object.entries(fact.at.params)) {
        const specs = commands[fact.name as CommandName].forms
          .flatMap(({ params }) => params)
          .filter((spec) => spec.key === key);
        expect(specs, `${fact.name}.${key}`).to.not.have.length(0);
        const ints = specs.map(({ type }) => type).filter((type) => type.kind === 'int');
        if (param.types[0] === 'INTEGER' && param.types.length === 1 && key !== 'ID') {
          expect(
            ints.some((type) => JSON.stringify(type.labels) === JSON.stringify(labelsOf(param.enum))),
          ).to.equal(true, `${fact.name}.${key} labels`);
          if (param.range) {
            expect(
              ints.map(({ min, max }) => [min, max]),
              `${fact.name}.${key}`,
            ).to.deep.include(param.range);
          }
        }
        if (param.maxLength !== undefined) {
          for (const { type } of specs)
            expect(type, `${fact.name}.${key}`).to.include({ max: param.maxLength });
        }
      }
    }
  });

  for (const fact of facts.aecs) {
    it(`event ${fact.name}`, () => {
      const spec = events[fact.name as EventName];
      expect(spec.id).to.equal(fact.id);
      expect(eventById(fact.id)).to.equal(spec);
      checkForms(fact.name, spec.forms, variantsOf(fact), { ...fact.at.elements, ...fact.elements });
    });
  }
});

/** BOOT has a banner on the AT wire and nothing on the other; all other events are the same on both. */
function variantsOf(fact: EventFact): EventFact['variants'] {
  return fact.name === 'BOOT' ? [...fact.at.variants, ...fact.variants] : fact.variants;
}
