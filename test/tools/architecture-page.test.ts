import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../scripts/project.ts';

const page = readFileSync(join(projectRoot, 'ARCHITECTURE.md'), 'utf8');

test('the five files that tell the story of a deployment are there, and each is short', () => {
  const files = [...page.matchAll(/^\d\. \[(src\/[^\]]+)\]/gm)].map((match) => String(match[1]));
  assert.equal(files.length, 5);
  for (const file of files) {
    const lines = readFileSync(join(projectRoot, file), 'utf8').split('\n').length;
    assert.ok(lines < 250, `${file} has ${lines} lines`);
  }
});

test('every folder of src has its line on the page', () => {
  const folders = readdirSync(join(projectRoot, 'src'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  const missing = folders.map(({ name }) => name).filter((name) => !page.includes(`| \`src/${name}/`));
  assert.deepEqual(missing, []);
});
