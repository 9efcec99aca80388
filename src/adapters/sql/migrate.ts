import { EdgeError } from '../../domain/errors.ts';
import { all, type Operation, run, type Scope } from './operation.ts';
import { migrations, SCHEMA_VERSION } from './schema.ts';

/**
 * Brings the tables up to this program's version. The caller keeps other processes out meanwhile, so that of two that start
 * at once the second finds it done. Rejects a store of a newer program with `store_version`.
 */
export function* migrate(scope: Scope): Operation<void> {
  yield* run(
    `CREATE TABLE IF NOT EXISTS migrations (
      version INTEGER NOT NULL PRIMARY KEY, name VARCHAR(100) NOT NULL, at BIGINT NOT NULL
    ) ${scope.dialect.tableEnd.plain}`,
  );
  const rows = yield* all<{ version: number }>('SELECT version FROM migrations');
  const found = Math.max(0, ...rows.map(({ version }) => version));
  if (found > SCHEMA_VERSION) throw tooNew(found);
  for (const migration of migrations(scope.dialect)) {
    if (migration.version <= found) continue;
    for (const statement of migration.statements) yield* run(statement);
    yield* run(
      'INSERT INTO migrations (version, name, at) VALUES (?, ?, ?)',
      migration.version,
      migration.name,
      scope.now,
    );
  }
}

const tooNew = (found: number): EdgeError =>
  new EdgeError(
    'store_version',
    `The state store has version ${found}; this program knows versions up to ${SCHEMA_VERSION}.`,
  );
