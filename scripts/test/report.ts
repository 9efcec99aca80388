// Turns the events of one lane into counts and lines.
import { relative } from 'node:path';
import type { EventData } from 'node:test';
import type { TestEvent } from 'node:test/reporters';
import type { Tally } from './tally.ts';
import { isLateError, isWholeFile, verdictOf } from './verdict.ts';

type Finished = EventData.TestPass | EventData.TestFail;

interface Group {
  passed: number;
  failed: number;
  skipped: number;
  ms: number;
}

interface Settings {
  readonly root: string;
  readonly tally: Tally;
  readonly print: (line: string) => void;
  /** The heading under which a file is counted: one line is printed for each. */
  readonly groupOf: (file: string) => string;
}

export class LaneReport {
  readonly #settings: Settings;
  readonly #groups = new Map<string, Group>();
  /** Name and parent of each test that has begun, by file and the runner's id. */
  readonly #titles = new Map<string, { readonly name: string; readonly parent: string | undefined }>();
  readonly #failedFiles = new Set<string>();
  /** What the process of a file has printed; shown only if the file fails. */
  readonly #output = new Map<string, string[]>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  see(event: TestEvent): void {
    switch (event.type) {
      case 'test:start':
        this.#begun(event.data);
        break;
      case 'test:pass':
        this.#finished(event.data, true);
        break;
      case 'test:fail':
        this.#finished(event.data, false);
        break;
      case 'test:stdout':
      case 'test:stderr':
        this.#printed(this.#local(event.data.file), event.data.message);
        break;
      case 'test:diagnostic':
        if (isLateError(event.data.message)) this.#late(event.data);
        break;
      default: // the rest is of no use to a reader
    }
  }

  /** Counts and prints a failure. */
  fail(title: string, why: string): void {
    const { tally, print } = this.#settings;
    tally.failed++;
    print(`FAIL  ${title}\n${indent(why)}\n`);
  }

  /** Prints the line of a group and forgets it; without a name, those of all groups. */
  close(name?: string): void {
    for (const [key, group] of [...this.#groups].sort()) {
      if (name !== undefined && key !== name) continue;
      this.#settings.print(line(key, group));
      this.#groups.delete(key);
    }
  }

  #begun({ name, file, testId, parentId }: EventData.TestStart): void {
    const parent = parentId === undefined ? undefined : `${file}:${parentId}`;
    this.#titles.set(`${file}:${testId}`, { name, parent });
  }

  #finished(data: Finished, passed: boolean): void {
    const file = this.#local(data.file);
    const group = this.#group(file);
    const verdict = verdictOf(data, passed);
    if (data.nesting === 0) group.ms += data.details.duration_ms;
    switch (verdict.kind) {
      case 'passed':
        this.#settings.tally.passed++;
        group.passed++;
        return;
      case 'skipped':
        this.#settings.tally.skipped.push({ title: this.#title(data), reason: verdict.reason });
        group.skipped++;
        return;
      case 'failed':
        // The runner fails a whole file once more for what failed inside it.
        if (isWholeFile(data) && this.#failedFiles.has(file)) return;
        this.#failedFiles.add(file);
        group.failed++;
        this.fail(this.#title(data), [verdict.why, ...(this.#output.get(file) ?? [])].join('\n'));
        this.#output.delete(file);
        return;
      case 'container':
        return;
      default:
        verdict satisfies never;
    }
  }

  #late({ file, message }: EventData.TestDiagnostic): void {
    const name = this.#local(file);
    this.#failedFiles.add(name);
    if (file !== undefined) this.#group(name).failed++;
    this.fail(name, message);
  }

  #printed(file: string, text: string): void {
    const lines = this.#output.get(file) ?? [];
    this.#output.set(file, [...lines, text.trimEnd()]);
  }

  #group(file: string): Group {
    const name = this.#settings.groupOf(file);
    const group = this.#groups.get(name) ?? { passed: 0, failed: 0, skipped: 0, ms: 0 };
    this.#groups.set(name, group);
    return group;
  }

  #title(data: Finished): string {
    const names: string[] = [];
    let key: string | undefined = `${data.file}:${data.testId}`;
    while (key !== undefined) {
      const test: { name: string; parent: string | undefined } | undefined = this.#titles.get(key);
      if (test) names.unshift(test.name);
      key = test?.parent;
    }
    const file = this.#local(data.file);
    return isWholeFile(data) ? file : [file, ...names].join(' > ');
  }

  #local(file: string | undefined): string {
    return file === undefined ? 'after a test had ended' : relative(this.#settings.root, file);
  }
}

function line(name: string, { passed, failed, skipped, ms }: Group): string {
  const counts = [`${passed} passed`, failed > 0 && `${failed} failed`, skipped > 0 && `${skipped} skipped`];
  return `${failed > 0 ? 'FAIL' : 'ok  '}  ${name}: ${counts.filter(Boolean).join(', ')} (${Math.round(ms)} ms)`;
}

const indent = (text: string): string => text.replaceAll(/^/gm, '      ');
