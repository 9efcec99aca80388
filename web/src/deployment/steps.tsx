import { useState } from 'react';
import { counted, took } from '../../../src/words/format.ts';
import { type Bar, hasBegun, LANE_HEIGHT, type LaneRow, swimLanesOf } from '../charts/swim-lanes.ts';
import type { Live } from '../live/deployment.ts';
import { Empty } from '../parts/notes.tsx';
import { useWidth } from '../parts/use-width.ts';
import { Axis } from './axis.tsx';
import { useMoment } from './moment.ts';

const AT_ONCE = 40;

type StepsProps = {
  readonly live: Live;
  readonly chosen: number | null;
  readonly onChoose: (index: number) => void;
};

/** A lane for each target that was begun, with its steps over time. */
export function Steps({ live, chosen, onChoose }: StepsProps) {
  const { view, lanes } = live;
  const [frame, width] = useWidth<HTMLDivElement>();
  const [from, setFrom] = useState(0);
  const { now, times } = useMoment(live);
  const begun = view.targets.filter((target) => hasBegun(lanes, target)).length;
  const window = { from, count: AT_ONCE };
  const chart = width > 0 ? swimLanesOf({ view, lanes, now, times, width, window }) : null;
  return (
    <section className="card" aria-labelledby="steps-title">
      <h2 id="steps-title">Steps</h2>
      {begun === 0 && <Empty title="No target has begun yet" />}
      <div ref={frame}>
        {chart && begun > 0 && (
          <svg
            className="lanes"
            width={chart.width}
            height={chart.height}
            role="img"
            aria-label={`The steps of ${counted(begun, 'target')} over time`}
          >
            <Axis ticks={chart.ticks} height={chart.height} />
            {chart.rows.map((row) => (
              // biome-ignore lint/a11y/noStaticElementInteractions: the cells above choose by keyboard
              // biome-ignore lint/a11y/useKeyWithClickEvents: the cells above choose by keyboard
              <g key={row.target.index} onClick={() => onChoose(row.target.index)}>
                <Lane row={row} width={chart.width} isChosen={row.target.index === chosen} />
              </g>
            ))}
          </svg>
        )}
      </div>
      {begun > AT_ONCE && (
        <div className="pager">
          <button type="button" disabled={from === 0} onClick={() => setFrom(from - AT_ONCE)}>
            Before
          </button>
          <span>
            {from + 1} to {Math.min(begun, from + AT_ONCE)} of {begun}
          </span>
          <button type="button" disabled={from + AT_ONCE >= begun} onClick={() => setFrom(from + AT_ONCE)}>
            Next
          </button>
        </div>
      )}
    </section>
  );
}

type LaneProps = { readonly row: LaneRow; readonly width: number; readonly isChosen: boolean };

function Lane({ row, width, isChosen }: LaneProps) {
  return (
    <g transform={`translate(0 ${row.y})`} className={isChosen ? 'lane is-chosen' : 'lane'}>
      <rect className="lane-back" width={width} height={LANE_HEIGHT} />
      <text x={4} y={15}>
        {row.target.name}
      </text>
      {row.bars.map((bar) => (
        <StepBar key={`${bar.fromMs} ${bar.order} ${bar.attempt}`} bar={bar} />
      ))}
    </g>
  );
}

function StepBar({ bar }: { readonly bar: Bar }) {
  const time = bar.toMs === null ? 'at work' : took(bar.toMs - bar.fromMs);
  const attempt = bar.attempt > 1 ? `, attempt ${bar.attempt}` : '';
  return (
    <g className={`step is-${statusOf(bar)} ${bar.order % 2 === 0 ? '' : 'is-odd'}`}>
      <title>{`${bar.step}: ${bar.outcome}, ${time}${attempt}`}</title>
      <rect x={bar.x} y={3} width={Math.max(1, bar.width - 1)} height={LANE_HEIGHT - 6} rx={2} />
      {bar.isNamed && (
        <text x={bar.x + 4} y={15}>
          {bar.step}
        </text>
      )}
    </g>
  );
}

function statusOf({ outcome }: Bar): string {
  if (outcome === 'retried') return 'paused';
  return outcome === 'ended' ? 'aborted' : outcome;
}
