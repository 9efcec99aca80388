import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import {
  CATALOGUE,
  type ErrorBody,
  type ErrorCode,
  STEP_FAILURES,
  type Where,
} from '../../src/domain/errors.ts';
import { dumpDatabase } from '../support/database-dump.ts';
import { type Estate, openEstate } from '../support/error-estate.ts';
import { type ErrorRow, ROWS } from '../support/error-rows.ts';
import type { Told } from '../support/error-ways.ts';
import { newestOf, STEP_ROWS, type StepFailureCode } from '../support/step-rows.ts';

const { path: sshdPath, skip = false } = requireService('sshd');

// The types of the tables say the same; this holds where nobody runs the compiler.
test('every code of the catalogue has a row, and every row a code', () => {
  assert.deepEqual(Object.keys(ROWS).sort(), Object.keys(CATALOGUE).sort());
  assert.deepEqual(Object.keys(STEP_ROWS).sort(), Object.keys(STEP_FAILURES).sort());
});

describe('errors', () => {
  let estate: Estate;
  const early = new Map<ErrorCode, Promise<readonly Told[]>>();
  before(async () => {
    estate = await openEstate(sshdPath);
    for (const code of Object.keys(ROWS) as ErrorCode[])
      if (ROWS[code].early) early.set(code, ROWS[code].ask(estate));
  });
  after(() => estate.close());

  for (const code of Object.keys(ROWS) as ErrorCode[]) {
    const row = ROWS[code];
    test(`${code} says what, where and what to do, and changes nothing`, {
      skip: row.needsSshd && skip,
    }, async () => {
      const data = (await row.data?.(estate)) ?? estate.data;
      const untouched = dumpDatabase(data);
      const told = await (early.get(code) ?? row.ask(estate));
      assert.deepEqual(changes(untouched, dumpDatabase(data)), []);
      assert.ok(told.length > 0);
      const where = typeof row.where === 'function' ? row.where(estate) : row.where;
      for (const one of told) assertTold(code, { ...row, where }, one);
    });
  }

  for (const code of Object.keys(STEP_ROWS) as StepFailureCode[]) {
    test(`${code} stands in the record of its deployment, and on the screen of who follows it`, async () => {
      const row = STEP_ROWS[code];
      const shown = await row.run(estate);
      assert.match(shown.stdout, new RegExp(`\\(${code}\\): `));
      assert.match(shown.stdout, row.says);
      assert.equal(shown.status, row.exit);
      const deployment = await newestOf(estate, row);
      const { events } = await estate.admin.deploymentEvents({ deployment });
      const errors = events.flatMap(({ event }) => ('error' in event ? [event.error] : []));
      assert.ok(
        errors.some((error) => error.code === code && row.says.test(error.message)),
        JSON.stringify(errors),
      );
    });
  }
});

/** Rows that are only in one of two dumps. */
function changes(from: readonly string[], to: readonly string[]): readonly string[] {
  const [before, now] = [new Set(from), new Set(to)];
  const gone = from.filter((row) => !now.has(row)).map((row) => `- ${row}`);
  return [...gone, ...to.filter((row) => !before.has(row)).map((row) => `+ ${row}`)];
}

type Expected = Omit<ErrorRow, 'where'> & { readonly where: Where | undefined };

function assertTold(code: ErrorCode, row: Expected, { body, exit, http }: Told): void {
  const entry = CATALOGUE[code];
  assert.equal(body.code, code, body.message);
  assert.match(body.message, row.says);
  assert.deepEqual(body.where, row.where);
  if (row.hint) assert.match(body.hint, row.hint);
  else assert.equal(body.hint, entry.hint);
  assert.deepEqual((body.also ?? []).map(inOneLine), row.also ?? []);
  if (exit !== undefined) assert.equal(exit, entry.exit);
  assert.equal(http, row.noStatus ? undefined : entry.http);
}

const inOneLine = ({ message, hint, where }: ErrorBody): string =>
  `${where?.file}:${where?.line}:${where?.column} ${message} ${hint}`;
