/** TCP as OpenThread programs know it (`otTcp*`); function by function in docs/engine-apis.md. */
export { TcpEndpoint } from './endpoint.js';
export { TcpListener } from './listener.js';
export * from './types.js';
