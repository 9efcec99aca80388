import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { lastStamp } from './estate.ts';

/** Looks into the store of a run from outside, as nobody in production does: to say who did what when, to the millisecond. */
export class StoreObserver {
  readonly #database: DatabaseSync;

  constructor(dataFolder: string) {
    this.#database = new DatabaseSync(join(dataFolder, 'edge.db'), { readOnly: true });
  }

  /** Workers that have a task now. */
  owners(): readonly string[] {
    const rows = this.#database.prepare('SELECT DISTINCT owner FROM tasks WHERE owner IS NOT NULL').all();
    return rows.map(({ owner }) => String(owner));
  }

  /** Whether a worker other than these has a task. */
  isTaken(notBy: ReadonlySet<string>): boolean {
    return this.owners().some((owner) => !notBy.has(owner));
  }

  /** Whether a worker is draining members at this moment. */
  drains(): boolean {
    const sql = `SELECT 1 FROM tasks WHERE step = 'drain' AND state = 'claimed'`;
    return this.#database.prepare(sql).get() !== undefined;
  }

  drivers(): readonly string[] {
    const rows = this.#database
      .prepare('SELECT lease_owner FROM deployments WHERE lease_owner IS NOT NULL')
      .all();
    return rows.map((row) => String(row.lease_owner));
  }

  /** When a driver other than these took the deployment, or the deployment ended. */
  drivenAt(notBy: ReadonlySet<string>): number | null {
    const row = this.#database.prepare('SELECT lease_owner, driven_at, ended_at FROM deployments').get();
    if (typeof row?.lease_owner === 'string' && !notBy.has(row.lease_owner)) return Number(row.driven_at);
    return row?.ended_at ? Number(row.ended_at) : null;
  }

  /** When the first piece of output, or the first event of a worker, was stored at or after this moment. */
  workedAt(from: number): number | null {
    const { at } = this.#database
      .prepare(
        `SELECT min(at) AS at FROM (SELECT min(at) AS at FROM output WHERE at >= :from
           UNION ALL SELECT min(at) FROM events WHERE at >= :from AND json_extract(body, '$.worker') IS NOT NULL)`,
      )
      .get({ from }) ?? { at: null };
    return at === null ? null : Number(at);
  }

  /** When the first line that was made after this moment was stored. */
  readAt(from: number): number | null {
    const rows = this.#database.prepare('SELECT at, body FROM output WHERE at >= ? ORDER BY id').all(from);
    const row = rows.find(({ body }) => lastStamp(String(body)) > from);
    return row ? Number(row.at) : null;
  }

  hasEnded(): boolean {
    return this.#database.prepare('SELECT 1 FROM deployments WHERE ended_at IS NULL').get() === undefined;
  }

  close(): void {
    this.#database.close();
  }
}
