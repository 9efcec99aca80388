import type { Command } from 'commander';
import type { Output } from '../../api/contract.ts';
import { counted } from '../../words/format.ts';
import { type Choose, names, newCommand, only } from '../command.ts';
import { type Line, line, span, type Tone } from '../view/line.ts';

export function addDiff(program: Command, choose: Choose): void {
  newCommand(
    program,
    'diff <project> <environment> <version>',
    'Shows what deploying a release would change on the disk of each target: artifacts, and property files line by line. Targets with the same changes stand together. Secrets are masked. It compares with what Edge put there last, and asks no host.',
  )
    .option('--targets <names>', 'only these, with commas between', names)
    .action(
      (project: string, environment: string, version: string, options: { targets?: readonly string[] }) => {
        choose(async (cli) => {
          const client = await cli.client();
          const found = await client.diff({ project, environment, version, ...only(options, 'targets') });
          cli.answer(found, () => diffLines(found));
          return 0;
        });
      },
    );
}

type Found = Output<'diff'>;
type Difference = Found['differences'][number];

export function diffLines({ differences, same }: Found): readonly (string | Line)[] {
  const others =
    same.length === 0
      ? []
      : [line(`nothing changes on ${counted(same.length, 'target')}: ${same.join(' ')}`)];
  return [...differences.flatMap((difference) => [...linesOf(difference), '']), ...others];
}

function linesOf({ targets, before, after, artifacts, files }: Difference): readonly (string | Line)[] {
  return [
    line(`${targets.join(' ')}: ${before ?? 'nothing known'} → ${after}`, 'strong'),
    ...artifacts.map(({ name, change }) => [span('  artifact '), span(`${name} ${change}`, TONES[change])]),
    ...files.flatMap(({ path, change, mode, lines }) => [
      [span('  '), span(`${path} ${change}${modeOf(mode)}`, TONES[change])],
      ...lines.map((text) => line(`    ${text}`, toneOf(text))),
    ]),
  ];
}

const TONES = { added: 'good', removed: 'bad', changed: 'warn' } as const satisfies Record<string, Tone>;

function modeOf({ before, after }: Difference['files'][number]['mode']): string {
  if (before === null) return `, mode ${after}`;
  return after === null || before === after ? '' : `, mode ${before} → ${after}`;
}

function toneOf(text: string): Tone {
  if (text.startsWith('@@')) return 'active';
  if (text.startsWith('+')) return 'good';
  return text.startsWith('-') ? 'bad' : 'plain';
}
