import type { z } from 'zod';
import type { Permission } from '../domain/permission.ts';
import type { DeepReadonly } from '../lib/types.ts';

/** One route as data. Path, query and body parameters have distinct names: clients and handlers see them as one input. */
export type Route = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Parameters as `:name`. */
  readonly path: `/${string}`;
  readonly permission: Permission | 'public';
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  /** Of a stream: the data of each message. */
  readonly response: z.ZodType;
  /** Server-sent events. `resumes`: messages have ids, and `Last-Event-ID` goes on after one of them. */
  readonly stream?: { readonly resumes: boolean };
  /** The answer may take up to a minute: it waits for something, or asks the world. */
  readonly longPoll?: true;
  /** The answer may take some minutes: artifacts are brought for it. */
  readonly slow?: true;
  /**
   * Bytes in place of JSON: as the body that is `sent`, of any size, or as the `answer`, whole or from a byte on (`Range`). Clients have
   * no method for it.
   */
  readonly bytes?: 'sent' | 'answer';
  /** Sets or takes away the cookie of a browser's session. */
  readonly cookie?: true;
  /** 1 MB where nothing is said. */
  readonly maxBodyBytes?: number;
};

/** Keeps the exact types of a route, for clients and handlers. */
export const route = <const R extends Route>(definition: R): R => definition;

type Part<R, K extends 'params' | 'query' | 'body', Side extends 'input' | 'output'> = R extends {
  readonly [P in K]: infer S extends z.ZodType;
}
  ? Side extends 'input'
    ? z.input<S>
    : z.output<S>
  : unknown;

type Whole<R, Side extends 'input' | 'output'> = DeepReadonly<
  Part<R, 'params', Side> & Part<R, 'query', Side> & Part<R, 'body', Side>
>;

/** What a caller gives: defaults may be left out. */
export type InputOf<R extends Route> = Whole<R, 'input'>;
/** What a handler gets: parsed, defaults filled in. */
export type ParsedOf<R extends Route> = Whole<R, 'output'>;
/** What comes back; of a stream: each item. */
export type OutputOf<R extends Route> = DeepReadonly<z.output<R['response']>>;
