import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { Permission } from '../../../src/domain/permission.ts';
import { edge } from '../client.ts';
import type { Live } from '../live/deployment.ts';
import { VerbDialog } from '../parts/verb-dialog.tsx';
import { useMay } from '../session.tsx';

export type Verb = {
  readonly name: string;
  readonly what: string;
  readonly permission: Permission;
  readonly isMain?: boolean;
  readonly isGrave?: boolean;
  /** Gives the deployment to look at next. */
  readonly say: (reason: string) => Promise<{ readonly deployment: string }>;
};

/** What an operator can say to a deployment as it stands, of that what this one may. */
export function Verbs({ live }: { readonly live: Live }) {
  const may = useMay();
  const navigate = useNavigate();
  const [chosen, setChosen] = useState<Verb | null>(null);
  const verbs = verbsOf(live).filter(({ permission }) => may(permission));
  const { row } = live;
  return (
    <span className="verbs">
      {verbs.map((verb) => (
        <button
          key={verb.name}
          type="button"
          className={[verb.isMain ? 'main' : '', verb.isGrave ? 'grave' : ''].join(' ').trim()}
          onClick={() => setChosen(verb)}
        >
          {verb.name}…
        </button>
      ))}
      {chosen && (
        <VerbDialog
          title={`${chosen.name}: ${row.project} → ${row.environment}`}
          what={chosen.what}
          verb={chosen.name}
          isGrave={chosen.isGrave ?? false}
          onClose={() => setChosen(null)}
          onSay={async (reason) => {
            const { deployment } = await chosen.say(reason);
            if (deployment !== row.id)
              await navigate({ to: '/deployments/$deployment', params: { deployment } });
          }}
        />
      )}
    </span>
  );
}

function verbsOf({ row, view: { overall } }: Live): readonly Verb[] {
  const { id: deployment } = row;
  const rollback: Verb = {
    name: 'Roll back',
    what: 'Stops it, and returns what it touched; of an ended one: back to the release before it.',
    permission: 'deployment.decide',
    isGrave: true,
    say: (reason) => edge.rollback({ deployment, reason }),
  };
  const abort: Verb = {
    name: 'Abort',
    what: 'Starts nothing new, ends running commands with proof, and parks their targets.',
    permission: 'deployment.abort',
    isGrave: true,
    say: (reason) => edge.abort({ deployment, reason }),
  };
  const goesBack = row.verb === 'deploy' ? [rollback] : [];
  if (overall.endedAt !== null) return row.verb === 'deploy' && overall.rollback === null ? [rollback] : [];
  if (overall.approvals?.waits) return [...approving(row), abort];
  if (overall.stopping) return overall.stopping.abort ? [] : [abort];
  return [overall.paused ? resuming(deployment) : pausing(deployment), ...goesBack, abort];
}

const pausing = (deployment: Live['row']['id']): Verb => ({
  name: 'Pause',
  what: 'Starts no further target; those that have started go on to their end.',
  permission: 'deployment.pause',
  say: (reason) => edge.pause({ deployment, reason }),
});

const resuming = (deployment: Live['row']['id']): Verb => ({
  name: 'Resume',
  what: 'Goes on, and accepts the failures so far.',
  permission: 'deployment.pause',
  isMain: true,
  say: (reason) => edge.resume({ deployment, reason }),
});

const approving = ({ id: deployment, planHash }: Live['row']): readonly Verb[] => [
  {
    name: 'Approve',
    what: 'Says that it may start, by somebody who has read its plan and not asked for it.',
    permission: 'deployment.approve',
    isMain: true,
    say: (reason) => edge.approve({ deployment, reason, planHash }),
  },
  {
    name: 'Promote',
    what: 'Lets it start without the approvals that it waits for; for an emergency.',
    permission: 'deployment.promote',
    say: (reason) => edge.promote({ deployment, reason }),
  },
];
