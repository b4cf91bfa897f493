import type { TcpListener as StackListener, TcpRequest } from '../../contract.js';
import {
  IncomingConnectionAction,
  type Instance,
  type ListenerInitializeArgs,
  OtError,
  type SockAddr,
} from './types.js';

/** Waits for connections and puts each into an endpoint of the application's. */
export class TcpListener {
  #instance: Instance | undefined;
  #args: ListenerInitializeArgs | undefined;
  #listener: StackListener | undefined;

  initialize(instance: Instance, args: ListenerInitializeArgs): OtError {
    if (this.#instance !== undefined) return OtError.FAILED;
    this.#instance = instance;
    this.#args = args;
    return OtError.NONE;
  }

  getInstance(): Instance | undefined {
    return this.#instance;
  }

  getContext(): unknown {
    return this.#args?.context;
  }

  listen({ address, port }: SockAddr): OtError {
    const any = address === '::' || address === '0.0.0.0';
    if (this.#instance === undefined || this.#listener !== undefined || !(port > 0)) return OtError.FAILED;
    try {
      const local = { port, ...(any ? {} : { address }) };
      this.#listener = this.#instance.tcpListenRequests(local, (request) => this.#decide(request), {
        fastOpen: true,
      });
      return OtError.NONE;
    } catch {
      return OtError.FAILED;
    }
  }

  /** Connections already accepted live on. */
  stopListening(): OtError {
    if (this.#listener === undefined) return OtError.FAILED;
    this.#listener.close();
    this.#listener = undefined;
    return OtError.NONE;
  }

  deinitialize(): OtError {
    if (this.#instance === undefined) return OtError.FAILED;
    this.stopListening();
    this.#instance = undefined;
    this.#args = undefined;
    return OtError.NONE;
  }

  #decide(request: TcpRequest): void {
    const [args, instance] = [this.#args, this.#instance];
    if (args === undefined || instance === undefined) {
      request.refuse();
      return;
    }
    const peer = request.remote;
    const decision = args.acceptReady(this, peer);
    if (decision.action === IncomingConnectionAction.ACCEPT) {
      const { into } = decision;
      // An endpoint that is busy is as none: the peer's next SYN asks again.
      if (!into.accept(request, instance, () => args.acceptDone?.(this, into, peer))) request.ignore();
    } else if (decision.action === IncomingConnectionAction.REFUSE) request.refuse();
    else request.ignore();
  }
}
