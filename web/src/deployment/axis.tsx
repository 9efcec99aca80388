import type { Tick } from '../charts/time-scale.ts';

/** Times along the top of a picture, with a thin line down through it for each. */
export function Axis({ ticks, height }: { readonly ticks: readonly Tick[]; readonly height: number }) {
  return (
    <g className="axis">
      {ticks.map(({ x, label }) => (
        <g key={label} transform={`translate(${x} 0)`}>
          <line y1={16} y2={height} />
          <text y={11} textAnchor="middle">
            {label}
          </text>
        </g>
      ))}
    </g>
  );
}
