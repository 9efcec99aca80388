// The table of a target's statuses: every transition that the engine can reach, found by trying every move on a small plan.
import type { Event } from '../../src/domain/event.ts';
import { canonicalJson } from '../../src/lib/json.ts';
import { samplePlan, step } from '../../test/support/sample-plan.ts';
import { Turns } from '../../test/support/turns.ts';
import type { Piece } from './piece.ts';

type Move = (turns: Turns) => void;
type Arrow = { readonly from: string; readonly event: string; readonly to: string };

const DEPTH = 6;
const plan = samplePlan({
  batches: [[1], [0]],
  steps: [step('work')],
  policy: { onFailure: { health: 'pause', other: 'pause' } },
});

const failed = { kind: 'failed', error: { code: 'command_failed', message: 'x' }, retryable: false } as const;
const reports = [{ kind: 'done', outputs: {} }, failed, { kind: 'unknown', seen: 'x' }] as const;
const moves: readonly Move[] = [
  (turns) => {
    if (turns.taskOf(1)) turns.report(1);
  },
  ...reports.map((outcome) => (turns: Turns) => {
    if (turns.taskOf(0)) turns.report(0, outcome);
  }),
  ...(['pause', 'resume', 'abort'] as const).map((verb) => (turns: Turns) => void turns.operator(verb)),
  ...(['retry', 'skip'] as const).map((verb) => (turns: Turns) => void turns.ofTarget(verb, 0)),
  ...(['succeeded', 'failed'] as const).map((as) => (turns: Turns) => void turns.resolve(0, as)),
];

export async function transitions(): Promise<readonly Piece[]> {
  const arrows = new Map<string, Arrow>();
  explore([], new Set(), arrows);
  return [{ path: 'GLOSSARY.md', region: 'transitions', content: table([...arrows.values()]) }];
}

function explore(path: readonly Move[], seen: Set<string>, arrows: Map<string, Arrow>): void {
  const turns = replay(path, arrows);
  const key = canonicalJson(turns.state);
  if (seen.has(key) || path.length === DEPTH) return;
  seen.add(key);
  for (const move of moves) explore([...path, move], seen, arrows);
}

function replay(path: readonly Move[], arrows: Map<string, Arrow>): Turns {
  const turns = new Turns(plan);
  for (const move of path) {
    const from = turns.target(0).status;
    const length = turns.events.length;
    move(turns);
    const to = turns.target(0).status;
    const cause = turns.events.slice(length).find(isOfTarget);
    if (cause && from !== to) note(arrows, { from, event: cause.kind, to });
  }
  return turns;
}

function isOfTarget(event: Event): boolean {
  if (event.kind === 'tasks.granted') return event.targets.includes(0);
  if (event.kind !== 'task.resolved' && !event.kind.startsWith('target.')) return false;
  return 'target' in event && event.target === 0;
}

function note(arrows: Map<string, Arrow>, arrow: Arrow): void {
  arrows.set(`${arrow.from} ${arrow.event} ${arrow.to}`, arrow);
}

function table(arrows: readonly Arrow[]): string {
  const rows = arrows.map(({ from, event, to }) => `| ${from} | \`${event}\` | ${to} |`).sort();
  return ['| status | event | next status |', '|---|---|---|', ...rows].join('\n');
}
