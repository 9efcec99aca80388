import type { StoredEvent } from '../domain/event.ts';

/** When a deployment worked on a target, from what it prepared to its end; `to` is infinite while it has not ended. */
export type Span = { readonly from: number; readonly to: number };

/** By index of the target. */
export function workSpans(events: readonly StoredEvent[]): ReadonlyMap<number, Span> {
  const spans = new Map<number, Span>();
  for (const { at, event } of events) {
    switch (event.kind) {
      case 'tasks.granted':
        for (const target of event.targets)
          spans.set(target, { from: spans.get(target)?.from ?? at, to: Number.POSITIVE_INFINITY });
        break;
      case 'target.succeeded':
      case 'target.failed':
      case 'target.skipped':
        spans.set(event.target, { from: spans.get(event.target)?.from ?? at, to: at });
        break;
      case 'deployment.ended':
        for (const [target, { from, to }] of spans) spans.set(target, { from, to: Math.min(to, at) });
        break;
      default:
    }
  }
  return spans;
}

export const overlaps = (a: Span, b: Span): boolean => a.from <= b.to && b.from <= a.to;
