import { table } from '../../words/format.ts';
import type { Cli } from '../context.ts';
import { readText } from '../read-file.ts';
import { line } from '../view/line.ts';

export type KayentaOptions = {
  /** The file of its configuration. */
  readonly kayenta: string;
  readonly pass: number;
  readonly marginal: number;
};

/** All that was measured at once, as Kayenta's last judgement of a canary. */
export async function judgeAsKayenta(cli: Cli, file: string, options: KayentaOptions): Promise<number> {
  const { kayentaConfigIn, kayentaPairsIn } = await import('../kayenta-files.ts');
  const { judge } = await import('../../analysis/kayenta/judge.ts');
  const { labelOf } = await import('../../analysis/kayenta/score.ts');
  const { folder } = cli.environment;
  const config = kayentaConfigIn(await readText(folder, options.kayenta), options.kayenta);
  const pairs = kayentaPairsIn(await readText(folder, file), file);
  const judgement = judge(config, pairs);
  const label = labelOf(judgement.score, options);
  cli.answer({ label, ...judgement }, () => [
    line(
      `${label}: score ${judgement.score}${judgement.override ? ` (${judgement.override})` : ''}`,
      label === 'Pass' ? 'good' : 'bad',
    ),
    '',
    ...table(
      ['METRIC', 'LABEL', 'DEVIATION', 'REASON'],
      judgement.results.map(({ name, tags, label: of, isCritical, isMuted, deviation, reason }) => [
        [name, ...Object.entries(tags).map(([tag, value]) => `${tag}=${value}`)].join(' '),
        `${of}${isCritical ? ' critical' : ''}${isMuted ? ' muted' : ''}`,
        deviation === null ? '–' : String(Number(deviation.toPrecision(3))),
        reason,
      ]),
    ),
  ]);
  return label === 'Pass' ? 0 : 1;
}
