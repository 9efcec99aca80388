import type { Finding } from '../api/contract.ts';
import { driftText } from '../domain/drift.ts';
import { foldedNames } from '../lib/folded-names.ts';
import { counted } from '../words/format.ts';
import { type Line, line, span, type Tone } from './view/line.ts';

const STATES: Readonly<Record<Finding['state'], readonly [words: string, tone: Tone]>> = {
  drifted: ['drifted', 'bad'],
  unknown: ['could not be looked at in full', 'warn'],
  deploying: ['being deployed', 'active'],
  waiting: ['not looked at yet', 'dim'],
  same: ['as Edge put it there', 'good'],
};

/** What was found on targets, equal findings together: who, and each thing that is not as it was put there. */
export function findingLines(findings: readonly Finding[]): readonly Line[] {
  return findings.flatMap((finding) => [headOf(finding), ...bodyOf(finding)]);
}

function headOf({ state, targets }: Finding): Line {
  const count = targets.length > 1 ? ` (${targets.length})` : '';
  const [words, tone] = STATES[state];
  return [span(`${foldedNames(targets).join(', ')}${count}`, 'strong'), span(': '), span(words, tone)];
}

function bodyOf({
  differs,
  moreDiffers,
  unknown,
  added,
  addedFiles,
  unproven,
  targets,
}: Finding): readonly Line[] {
  const more = moreDiffers > 0 ? [`and ${moreDiffers} more`] : [];
  const rest = added.length > 0 ? addedFiles / targets.length - added.length : 0;
  const hidden = added.length === 0 && addedFiles > 0;
  return [
    ...differs.map((one) => line(`  ${driftText(one)}`)),
    ...more.map((text) => line(`  ${text}`)),
    ...added.map((path) => line(`  ${path} was added`)),
    ...(rest > 0 ? [line(`  and ${rest} more were added`)] : []),
    ...unknown.map((why) => line(`  unknown: ${why}`, 'warn')),
    ...(unproven ? [line('  a deployment has worked on it since, without success', 'warn')] : []),
    ...(hidden
      ? [line(`  ${counted(addedFiles, 'file')} beside those of Edge; --added tells them`, 'dim')]
      : []),
  ];
}

/** `2 of 5 targets have drifted, 1 could not be looked at in full`. */
export function sumOfFindings(findings: readonly Finding[]): string {
  const of = (state: Finding['state']) =>
    findings
      .filter((finding) => finding.state === state)
      .reduce((sum, { targets }) => sum + targets.length, 0);
  const total = findings.reduce((sum, { targets }) => sum + targets.length, 0);
  const drifted = of('drifted');
  const others = (['unknown', 'deploying', 'waiting'] as const).flatMap((state) => {
    const count = of(state);
    if (count === 0) return [];
    const verb = state === 'unknown' ? '' : count === 1 ? 'is ' : 'are ';
    return [`${count} ${verb}${STATES[state][0]}`];
  });
  const all = counted(total, 'target');
  const first =
    drifted > 0
      ? `${drifted} of ${all} ${drifted === 1 ? 'has' : 'have'} drifted`
      : `No drift seen: ${of('same')} of ${all} as Edge put ${total === 1 ? 'it' : 'them'} there`;
  return [first, ...others].join(', ');
}

/** 0: all is as it was put there. 1: something has drifted. 7: of something nobody can say so now. */
export function exitOf(findings: readonly Finding[]): number {
  const has = (...states: readonly Finding['state'][]) =>
    findings.some(({ state }) => states.includes(state));
  if (has('drifted')) return 1;
  return has('unknown', 'deploying', 'waiting') ? 7 : 0;
}
