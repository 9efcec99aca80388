/** One HTTP or TCP look at a target, for health checks. Never throws for an answer: what was seen is a value. */
export interface Probe {
  http(request: HttpProbe, signal: AbortSignal): Promise<HttpSeen>;
  tcp(address: string, port: number, timeoutMs: number, signal: AbortSignal): Promise<TcpSeen>;
}

export type HttpProbe = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** The body is read up to here. */
  readonly maxBytes: number;
};

export type HttpSeen =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    }
  | { readonly kind: 'nothing'; readonly why: string };

export type TcpSeen = { readonly kind: 'open' } | { readonly kind: 'nothing'; readonly why: string };
