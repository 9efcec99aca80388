import type { CanaryTime } from '../analysis/canary-time.ts';
import { EVIDENCE_HEAD, evidenceLines } from '../analysis/evidence.ts';
import type { Judged } from '../analysis/judged.ts';
import type { ActionContext } from '../ports/action.ts';
import type { CanaryJudgeInputs } from './canary-judge-inputs.ts';
import type { CanaryLook } from './canary-look.ts';
import type { CanaryState, Decided } from './canary-state.ts';
import { weightiestFirst } from './canary-told.ts';

/** A log keeps 8 MiB of a task before it leaves something out of the middle. */
const MOST_BYTES = 7 * 1_048_576;
/** A chunk of a log has 64 KB. */
const PIECE_LENGTH = 30_000;

type Of = { readonly inputs: CanaryJudgeInputs; readonly time: CanaryTime };

/** The samples that were decided on, as lines of a file. `metrics`: of which, by their places in the analysis. */
export type Evidence = { readonly metrics: readonly number[]; readonly lines: readonly string[] };

export const NO_EVIDENCE: Evidence = { metrics: [], lines: [] };

/** Those of whole metrics, the weightiest first, as many as a log has room for. */
export function evidenceOf(of: Of, seen: CanaryLook, { judgement }: Judged): Evidence {
  if (seen.measured.size === 0) return NO_EVIDENCE;
  const { metrics: all } = of.inputs.analysis;
  const lines = [EVIDENCE_HEAD];
  const metrics: number[] = [];
  let bytes = 0;
  for (const { name } of weightiestFirst(judgement)) {
    const place = all.findIndex((metric) => metric.name === name);
    const own = linesOf(of, seen, { places: [place], steps: judgement.step });
    bytes += own.reduce((sum, line) => sum + Buffer.byteLength(line), 0);
    if (bytes > MOST_BYTES) break;
    metrics.push(place);
    lines.push(...own);
  }
  return { metrics, lines };
}

/** The same lines after another look; what is in them may have become more. */
export const evidenceAgain = (of: Of, seen: CanaryLook, { metrics, verdict }: Decided): readonly string[] => [
  EVIDENCE_HEAD,
  ...linesOf(of, seen, { places: metrics, steps: verdict.steps }),
];

type Wanted = { readonly places: readonly number[]; readonly steps: number };

function linesOf({ inputs, time }: Of, { measured }: CanaryLook, { places, steps }: Wanted) {
  const { analysis, pairs } = inputs;
  return places.flatMap((place) => {
    const metric = analysis.metrics[place];
    return metric ? [...evidenceLines({ analysis, pairs, time, measured }, metric, steps)] : [];
  });
}

/** Writes what is not written yet. Each piece goes with how far it was written then, so that no line comes twice. */
export async function writeEvidence(
  context: ActionContext,
  state: CanaryState & { readonly decided: Decided },
  lines: readonly string[],
): Promise<void> {
  let { written } = state.decided;
  let piece = '';
  const flush = async () => {
    await context.output(piece, { ...state, decided: { ...state.decided, written } });
    piece = '';
  };
  for (const line of lines.slice(written)) {
    piece += line;
    written += 1;
    if (piece.length >= PIECE_LENGTH) await flush();
  }
  if (piece !== '') await flush();
}
