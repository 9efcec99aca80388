import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hostileText } from '../../test/support/hostile-text.ts';
import { type FilePlace, filePathField, makeFiles } from './property-file.ts';
import { parseTemplate, VARIABLE_NAME } from './template.ts';

/** `EDGE_FUZZ_RUNS=1000000` for as many of each. */
const numRuns = Number(process.env.EDGE_FUZZ_RUNS ?? 2_000);

const PLACE: FilePlace = {
  ...{ project: 'web', environment: 'prod', zone: 'east', target: 'web-1', address: '10.0.0.1', port: 8080 },
  ...{ version: '2.0', release: '2.0-abcdef01' },
};
const made = (template: string, value: string) =>
  makeFiles({ files: [{ path: 'a', mode: '0640', template }], variables: [{ name: 'a', value }] }, PLACE);

test('whatever a value is, it stands in the file as it is, and adds no line to what is not its own', () => {
  fc.assert(
    fc.property(hostileText, (value) => {
      const beside = made('before={{a}}\nafter=1\n', value);
      const alone = made('before=1\n{{a}}\nafter=1\n', value);
      if (value.includes('\0')) assert.deepEqual([beside.kind, alone.kind], ['problems', 'problems']);
      else {
        assert.deepEqual(alone.kind === 'made' && alone.files[0]?.parts, [`before=1\n${value}\nafter=1\n`]);
        if (/[\r\n]/.test(value)) assert.equal(beside.kind, 'problems');
        else
          assert.deepEqual(beside.kind === 'made' && beside.files[0]?.parts, [`before=${value}\nafter=1\n`]);
      }
    }),
    { numRuns },
  );
});

test('whatever a template is, it is read as a whole or told what is wrong with it, each with its line', () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      const { parts, problems } = parseTemplate(text);
      const lines = text.split('\n').length;
      for (const { line } of problems) assert.ok(line >= 1 && line <= lines);
      for (const part of parts) {
        if (typeof part === 'string') continue;
        assert.match(part.variable, VARIABLE_NAME);
        assert.ok(part.line >= 1 && part.line <= lines);
      }
      if (problems.length > 0) return;
      const again = parts.map((part) => (typeof part === 'string' ? part : `{{${part.variable}}}`)).join('');
      const plain = text.replaceAll(/\{\{\{\{|\{\{[^\S\n]*([\w.-]+)[^\S\n]*\}\}/g, (mark, name) =>
        mark === '{{{{' ? '{{' : `{{${name}}}`,
      );
      assert.equal(again, plain);
    }),
    { numRuns },
  );
});

test('a path that is taken stays in its folder, whoever reads it', () => {
  fc.assert(
    fc.property(fc.oneof(hostileText, fc.string({ unit: fc.constantFrom(...'ab./-~ \n$') })), (path) => {
      if (!filePathField.safeParse(path).success) return;
      assert.match(path, /^[A-Za-z0-9_.@+/-]+$/);
      const parts = path.split('/');
      assert.ok(parts.every((part) => part !== '' && part !== '.' && part !== '..' && !part.startsWith('-')));
    }),
    { numRuns },
  );
});
