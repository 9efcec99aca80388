import type { Output } from '../api/contract.ts';

/** A plan for people: what the server explains of it, and the hash that an approval is bound to. */
export function planLines({ text, hash }: Output<'plan'>): readonly string[] {
  return [text.trimEnd(), '', `hash ${hash}`];
}
