import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Input, Output } from '../../api/contract.ts';
import { ROLES } from '../../domain/permission.ts';
import { dateAndTime, table } from '../../words/format.ts';
import { type Choose, newCommand } from '../command.ts';

export function addToken(program: Command, choose: Choose): void {
  const token = newCommand(
    program,
    'token',
    'Makes, lists and revokes the tokens that people, scripts and workers show.',
  );
  addCreate(token, choose);
  newCommand(token, 'list', 'Lists all tokens; what they are is not kept.').action(() => {
    choose(async (cli) => {
      const client = await cli.client();
      const found = await client.tokens();
      cli.answer(found, () => tokenLines(found.tokens, cli.environment.now()));
      return 0;
    });
  });
  newCommand(token, 'revoke <id>', 'Ends a token; `edge token list` shows the ids.').action((id: string) => {
    choose(async (cli) => {
      const client = await cli.client();
      const ended = await client.revokeToken({ token: id });
      cli.answer(ended, () => [`${ended.token.name} (${ended.token.id}) is revoked.`]);
      return 0;
    });
  });
}

type Options = Pick<Input<'createToken'>, 'role' | 'pool'> & { readonly days?: number };
const DAY_MS = 86_400_000;

function addCreate(token: Command, choose: Choose): void {
  newCommand(
    token,
    'create <name>',
    'Makes a token and shows it this once. The name stands in the record of what it does.',
  )
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).makeOptionMandatory())
    .option('--pool <pool>', 'of a worker: the pool that it works for')
    .option('--days <days>', 'how long it is good for; else until it is revoked', days)
    .action((name: string, options: Options) => {
      choose(async (cli) => {
        const client = await cli.client();
        const { role, pool, days: good } = options;
        const ends = good === undefined ? {} : { expiresAt: cli.environment.now() + good * DAY_MS };
        const made = await client.createToken({ name, role, ...(pool !== undefined && { pool }), ...ends });
        cli.answer(made, () => [made.secret]);
        cli.note(
          `This is the token ${made.token.name} (${made.token.id}); it is not shown again. Put it into EDGE_TOKEN.`,
        );
        return 0;
      });
    });
}

function days(text: string): number {
  const count = Number(text);
  if (Number.isFinite(count) && count > 0 && count <= 36_500) return count;
  throw new InvalidArgumentError('Give a number of days, such as 90.');
}

export function tokenLines(tokens: Output<'tokens'>['tokens'], now: number): readonly string[] {
  const rows = tokens.map(({ id, name, role, pool, createdAt, expiresAt, revokedAt }) => [
    id,
    name,
    pool === null ? role : `${role} of ${pool}`,
    dateAndTime(createdAt),
    stateOf(expiresAt, revokedAt, now),
  ]);
  return table(['id', 'name', 'role', 'created', 'good until'], rows);
}

function stateOf(expiresAt: number | null, revokedAt: number | null, now: number): string {
  if (revokedAt !== null) return `revoked ${dateAndTime(revokedAt)}`;
  if (expiresAt === null) return 'no end';
  return `${expiresAt <= now ? 'expired ' : ''}${dateAndTime(expiresAt)}`;
}
