import { CATALOGUE, EdgeError, STEP_FAILURES } from '../../src/domain/errors.ts';

export const KINDS = ['parameter', 'variable', 'fileName', 'archive'] as const;
export type Kind = (typeof KINDS)[number];

/**
 * What must not be: a file of an attacker; a program of ours that breaks, or does not end; a value that arrives as another one; a refusal
 * without a code of the catalogue.
 */
export type Fault = {
  readonly what: 'side effect' | 'crash' | 'altered' | 'no code';
  readonly kind: Kind;
  /** What was given, as JSON. */
  readonly value: string;
  readonly why: string;
};

/** Of so many nothing new is learned. */
const MOST_FAULTS = 20;

export class Tally {
  readonly kinds = perKind();
  /** Of those that were accepted: how many went on through a real shell. */
  readonly shell = perKind();
  readonly refused = new Map<string, number>();
  readonly faults: Fault[] = [];
  readonly counts = { 'side effect': 0, crash: 0, altered: 0, 'no code': 0 };
  accepted = 0;

  get runs(): number {
    return KINDS.reduce((sum, kind) => sum + this.kinds[kind], 0);
  }

  get isClean(): boolean {
    return Object.values(this.counts).every((count) => count === 0);
  }

  accept(kind: Kind): void {
    this.kinds[kind] += 1;
    this.accepted += 1;
  }

  refuse(kind: Kind, value: unknown, code: string | undefined): void {
    this.kinds[kind] += 1;
    if (code === 'internal') this.fault('crash', kind, value, 'a fault of Edge itself');
    else if (code === undefined || !isKnown(code)) this.fault('no code', kind, value, `refused as ${code}`);
    else this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
  }

  /** By what was thrown: all but an error of the catalogue is a crash. */
  thrown(kind: Kind, value: unknown, thrown: unknown): void {
    if (thrown instanceof EdgeError) {
      this.refuse(kind, value, thrown.code);
      return;
    }
    this.kinds[kind] += 1;
    this.fault('crash', kind, value, thrown instanceof Error ? `${thrown.stack}` : String(thrown));
  }

  fault(what: Fault['what'], kind: Kind, value: unknown, why: string): void {
    this.counts[what] += 1;
    if (this.faults.length < MOST_FAULTS) this.faults.push({ what, kind, value: JSON.stringify(value), why });
  }
}

const perKind = (): Record<Kind, number> => ({ parameter: 0, variable: 0, fileName: 0, archive: 0 });

const isKnown = (code: string): boolean =>
  Object.hasOwn(CATALOGUE, code) || Object.hasOwn(STEP_FAILURES, code);
