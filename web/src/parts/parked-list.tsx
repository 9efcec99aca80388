import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { ProjectEnvironmentStatus } from '../../../src/api/contract.ts';
import { edge } from '../client.ts';
import { useMay } from '../session.tsx';
import { Sign } from './signs.tsx';
import { VerbDialog } from './verb-dialog.tsx';

/** What Edge has taken out of service and could not return: nothing is lost from a pool in silence. */
export function ParkedList({ places }: { readonly places: readonly ProjectEnvironmentStatus[] }) {
  const with_ = places.filter(({ parked }) => parked.length > 0);
  if (with_.length === 0) return null;
  const total = with_.reduce((sum, { parked }) => sum + parked.length, 0);
  return (
    <section className="section">
      <h2>
        Parked <span className="count">{total}</span>
      </h2>
      <ul className="rows">
        {with_.map((place) => (
          <ParkedPlace key={`${place.project}/${place.environment}`} place={place} />
        ))}
      </ul>
    </section>
  );
}

const NAMED = 4;

function ParkedPlace({ place }: { readonly place: ProjectEnvironmentStatus }) {
  const may = useMay();
  const [isOpen, setOpen] = useState(false);
  const { project, environment, parked } = place;
  const [first] = parked;
  const names = parked.slice(0, NAMED).map(({ target }) => target);
  const more = parked.length - names.length;
  return (
    <li className="row">
      <span className="pill is-parked">
        <Sign name="parked" />
        parked
      </span>
      <div className="row-main">
        <p>
          {project} <span className="dim">→</span> {environment} <strong>{names.join(', ')}</strong>
          {more > 0 && ` and ${more} more`}
        </p>
        {first && (
          <p className="dim clip">
            {first.reason};{' '}
            <Link to="/deployments/$deployment" params={{ deployment: first.deployment }}>
              {first.deployment}
            </Link>
          </p>
        )}
      </div>
      {may('target.return') && (
        <button type="button" onClick={() => setOpen(true)}>
          Return…
        </button>
      )}
      {isOpen && (
        <VerbDialog
          title={`Return what is parked of ${project} in ${environment}`}
          what="Restarts these targets and returns their members as they were found."
          verb="Return"
          onClose={() => setOpen(false)}
          onSay={(reason) => edge.returnParked({ project, environment, reason })}
        />
      )}
    </li>
  );
}
