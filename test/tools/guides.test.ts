import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { projectRoot } from '../../scripts/project.ts';
import { isKind, KINDS } from '../../src/config/kinds.ts';
import { readYaml } from '../../src/config/yaml-text.ts';

const FOLDER = join(projectRoot, 'docs/guides');
const COMMANDS = readFileSync(join(projectRoot, 'docs/reference/cli.md'), 'utf8');

/** The blocks of a page that begin with ```word. */
const blocks = (text: string, word: string): readonly string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${word}\\n(.*?)^\`\`\``, 'gms'))].map(([, block = '']) => block);

/** What is promised of a guide; it stands in the titles. */
const PROMISED: Readonly<Record<string, string>> = {
  'first-environment.md': ': «the guide to your first real environment can be typed as it stands»',
  'from-ansible.md': ': «the guide from Ansible can be typed as it stands»',
  'from-jenkins-fabric.md': ': «the guide from Jenkins and Fabric can be typed as it stands»',
  'f5-permissions.md': ': «the guide to F5 permissions can be typed as it stands»',
};

describe('what the guides show can be typed as it stands', () => {
  for (const file of readdirSync(FOLDER)) {
    const text = readFileSync(join(FOLDER, file), 'utf8');
    const promised = PROMISED[file] ?? '';

    test(`the YAML of ${file} is what Edge takes${promised}`, () => {
      for (const block of blocks(text, 'yaml')) {
        const { documents, problems } = readYaml(block);
        assert.deepEqual(problems, []);
        for (const { value } of documents) checkDocument(value);
      }
    });

    test(`the commands of ${file} are in the reference${promised}`, () => {
      for (const [, command = ''] of text.matchAll(/bin\/edge ([a-z]+(?: create)?)/g))
        assert.match(COMMANDS, new RegExp(`^## edge ${command}$`, 'm'), `edge ${command}`);
    });
  }
});

/** A document of a kind is whole; anything else is a part of one, shown for itself. */
function checkDocument(value: unknown): void {
  const kind: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'kind') : undefined;
  if (typeof kind !== 'string' || !isKind(kind)) return;
  const { error } = KINDS[kind].safeParse(value);
  assert.equal(error, undefined, error?.message);
}
