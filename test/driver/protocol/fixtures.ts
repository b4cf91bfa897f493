/** The protocol's facts as the vendor's references and encoder have them. */
import { readFileSync } from 'node:fs';

const folder = new URL('../../../firmware-fixtures/protocol/', import.meta.url);
export const fixture = <T>(name: string): T => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as T;

export interface Labelled {
  value: number;
  label: string;
}
export interface ElementFact {
  types: string[];
  range?: [number, number];
  enum?: Labelled[];
  ref?: string;
}
export interface ParamFact {
  name: string;
  key: string;
  kind: 'int' | 'buffer' | 'variant';
  optional: boolean;
  cType?: string;
  enum?: Labelled[];
  ignoreValue?: number;
  encoderAccepts?: [number, number][];
  maxLength?: number;
  bitmask?: boolean;
  wire: { types: string[]; length?: number | null };
}
export interface FormFact {
  label: string;
  elements: string[];
}
export interface AtParamFact extends ElementFact {
  maxLength?: number;
}
export interface ConfigFact {
  id: number;
  name: string;
  types: string[];
  enum?: Labelled[];
  range?: [number, number];
  maxLength?: number;
  readOnly?: boolean;
  bitmask?: boolean;
  formats?: string[];
  multiValue?: { firstIndex: number; lastIndex: number };
  default?: number;
  hiddenWhenZero?: boolean;
}
export interface CommandFact {
  id: number;
  name: string;
  moduleName: string;
  hasHostFunction: boolean;
  functions: {
    name: string;
    params: ParamFact[];
    wireOrder: {
      param: string;
      optional?: boolean;
      fixedValue?: number;
      types?: string[];
      length?: number;
    }[];
  }[];
  config?: {
    params: ConfigFact[];
    complexValues?: { label: string; elements: string[] }[];
    complexElements?: Record<string, ElementFact>;
  };
  at: {
    name: string;
    numericName: string;
    syntaxes: {
      text: string;
      params: string[];
      form: string;
      condition?: { param: string; op: string; values: number[] };
    }[];
    params: Record<string, AtParamFact>;
    responses: FormFact[];
    elements: Record<string, ElementFact>;
    querySupported: boolean;
  };
}
export interface EventFact {
  id: number;
  name: string;
  moduleName: string;
  variants: FormFact[];
  elements: Record<string, ElementFact>;
  at: { variants: FormFact[]; elements: Record<string, ElementFact> };
}
export interface CatalogueFacts {
  modules: { id: number; name: string; commands: string[]; aecs: string[]; statusCodes: string[] }[];
  commands: CommandFact[];
  aecs: EventFact[];
  statusCodes: { code: number; name: string; text: string; module: number; atCode: string }[];
  tlsErrors: { code: number; name: string }[];
  cipherSuites: { code: number; name: string }[];
  dnsRecordTypes: { value: number; name: string }[];
  headerConstants: Record<string, Record<string, number>>;
  headerParamLimits: Record<string, { min?: number; max?: number; size?: number }>;
  wire: { limits: Record<string, number>; tlvTypes: { id: number; name: string }[] };
  basicAtCommands: { name: string; values: { value: number }[]; default?: number }[];
}
export const facts = fixture<CatalogueFacts>('catalogue.json');
