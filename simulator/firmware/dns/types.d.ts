/** What dns-packet has and its types leave out. */
declare module 'dns-packet/types.js' {
  const types: {
    /** `UNKNOWN_n` for a type without a name. */
    toString(type: number): string;
    toType(name: string): number;
  };
  export default types;
}
