import { useState } from 'react';
import type { TargetView } from '../../../src/api/contract.ts';
import { isTerminal } from '../../../src/domain/status.ts';
import { duration } from '../../../src/words/format.ts';
import { edge } from '../client.ts';
import type { Live } from '../live/deployment.ts';
import { StatusPill } from '../parts/signs.tsx';
import { useNow } from '../parts/time.tsx';
import { VerbDialog } from '../parts/verb-dialog.tsx';
import { useMay } from '../session.tsx';
import type { Verb } from './verbs.tsx';

type TargetPanelProps = {
  readonly live: Live;
  readonly target: TargetView;
  readonly onClose: () => void;
};

/** One target: where it stands, why, and what can be said about it. */
export function TargetPanel({ live, target, onClose }: TargetPanelProps) {
  const may = useMay();
  const now = useNow(1_000);
  const [chosen, setChosen] = useState<Verb | null>(null);
  const verbs = verbsOf(live, target).filter(({ permission }) => may(permission));
  return (
    <section className="card panel" aria-label={`Target ${target.name}`}>
      <div className="head-line">
        <h2>{target.name}</h2>
        <StatusPill status={target.parked ? 'parked' : target.status} />
        {target.since !== null && !isTerminal(target.status) && (
          <span className="dim">for {duration(now - target.since)}</span>
        )}
        <span className="verbs">
          {verbs.map((verb) => (
            <button key={verb.name} type="button" onClick={() => setChosen(verb)}>
              {verb.name}…
            </button>
          ))}
          <button type="button" className="quiet" onClick={onClose} aria-label={`Close ${target.name}`}>
            ✕
          </button>
        </span>
      </div>
      <dl className="facts">
        <Fact name="zone" value={target.zone} />
        <Fact name="step" value={target.step} />
        <Fact name="attempt" value={target.attempt > 1 ? String(target.attempt) : null} />
        <Fact name="reason" value={target.reason} />
        <Fact name="progress" value={target.progress} />
        <Fact name="worker" value={target.worker} />
        <Fact name="set by hand" value={target.byHand} />
        <Fact
          name="may still run"
          value={target.mayRun ? 'nobody has seen the end of its last step' : null}
        />
      </dl>
      {chosen && (
        <VerbDialog
          title={`${chosen.name} ${target.name}`}
          what={chosen.what}
          verb={chosen.name}
          onClose={() => setChosen(null)}
          onSay={chosen.say}
        />
      )}
    </section>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string | null }) {
  if (value === null || value === '') return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function verbsOf(
  { row: { id: deployment }, view }: Live,
  { name: target, status }: TargetView,
): readonly Verb[] {
  if (view.overall.endedAt !== null) return [];
  const retry: Verb = {
    name: 'Retry',
    what: 'Works on it again, from its first step.',
    permission: 'deployment.decide',
    say: (reason) => edge.retryTarget({ deployment, target, reason }),
  };
  const skip: Verb = {
    name: 'Skip',
    what: 'Leaves it out, once its step has ended; it is parked if it was taken out of service.',
    permission: 'deployment.decide',
    say: (reason) => edge.skipTarget({ deployment, target, reason }),
  };
  const canRetry = status === 'failed' || status === 'unknown';
  const canSkip = canRetry || status === 'pending' || status === 'running';
  return [...(canRetry ? [retry] : []), ...(canSkip ? [skip] : [])];
}
