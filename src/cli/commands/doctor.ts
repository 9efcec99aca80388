import type { Command } from 'commander';
import type { DoctorCheck } from '../../api/contract.ts';
import { CATALOGUE } from '../../domain/errors.ts';
import { type Choose, newCommand } from '../command.ts';
import { errorLines } from '../error-lines.ts';
import { type Line, line, span } from '../view/line.ts';

export function addDoctor(program: Command, choose: Choose): void {
  newCommand(
    program,
    'doctor [project] [environment]',
    'Tries every host and balancer, and says what is missing. Ends with the exit status of the first problem.',
  ).action((project: string | undefined, environment: string | undefined) => {
    const place = {
      ...(project !== undefined && { project }),
      ...(environment !== undefined && { environment }),
    };
    choose(async (cli) => {
      const client = await cli.client();
      const { checks } = await client.doctor(place);
      cli.answer({ checks }, () => doctorLines(checks));
      const problem = checks.flatMap(({ problems }) => problems)[0];
      return problem ? CATALOGUE[problem.code].exit : 0;
    });
  });
}

export function doctorLines(checks: readonly DoctorCheck[]): readonly Line[] {
  if (checks.length === 0) return [line('There is nothing to try: no project has targets yet.')];
  const ill = checks.filter(({ ok }) => !ok).length;
  const sum =
    ill === 0 ? `${checks.length} of ${checks.length} are well` : `${ill} of ${checks.length} have problems`;
  return [...checks.flatMap(checkLines), line(''), line(sum, ill === 0 ? 'good' : 'bad')];
}

function checkLines({ kind, name, project, environment, ok, facts, problems }: DoctorCheck): readonly Line[] {
  const seen = Object.entries(facts)
    .map(([key, value]) => `${key} ${value}`)
    .join(', ');
  return [
    [
      ok ? span('✓ ', 'good') : span('✗ ', 'bad'),
      span(`${kind} ${name}`),
      span(`  ${project} ${environment}${seen === '' ? '' : `  ${seen}`}`, 'dim'),
    ],
    ...problems.flatMap((problem) => errorLines(problem).map((text) => line(`    ${text}`, 'bad'))),
  ];
}
